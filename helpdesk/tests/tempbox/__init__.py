"""Tests of the TempBox API, through HTTP."""

"""Tests of the admin of call requests."""

"""Tests of the admin of telephony."""

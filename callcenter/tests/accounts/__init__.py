"""Tests of people, companies, keys and roles."""

"""Reads of the helpdesk, a module a subject. They write nothing."""

"""The wire languages that shops speak; what they have in common is here, each language in its own room."""

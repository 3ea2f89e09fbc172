"""The carrier Directcall: `client.py` and `wire.py` for its API, `callback*.py` for what it posts to us."""

"""One folder a provider: `client.py` touches the wire, `wire.py` knows its words."""

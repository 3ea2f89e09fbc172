"""The Dígitro PABX API: `wire.py` knows its words, `client.py` sends them."""

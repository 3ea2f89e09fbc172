"""The clients of the providers, against real servers on loopback that behave as badly as servers do."""

"""Dialing: lines, attempts, the carrier's callbacks; the only app that knows the other two."""

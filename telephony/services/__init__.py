"""The writes of telephony: dialing, events, policy."""

"""The writes of call requests: `intake` for shops and staff, `calls` for what telephony reports; webhooks."""

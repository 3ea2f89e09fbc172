"""Programs that behave like what the helpdesk talks to; they share no code with it."""

"""The writes of the helpdesk, one job in a module each; nobody but these changes a row of a conversation."""

"""Company, User, ApiKey and roles: the one app that all others share."""

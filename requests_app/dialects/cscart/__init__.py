"""CS-Cart's REST API 2.0 for its add-on "call requests", as shops already speak it."""

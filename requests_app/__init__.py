"""Call requests: what a shop's customer asked for, and the two API dialects that speak of it."""

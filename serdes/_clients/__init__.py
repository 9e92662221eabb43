"""The two clients: small drivers of the same flows."""

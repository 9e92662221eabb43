"""The schema languages, by their name on the wire."""

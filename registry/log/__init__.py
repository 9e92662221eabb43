"""Storage engines, one small module each."""

"""Benchmarks and load scenarios; they use the client and plain HTTP, never the server's inside."""

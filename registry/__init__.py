"""The Signet server: a schema registry that speaks Confluent's REST API (install it with `signet[server]`)."""

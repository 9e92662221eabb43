"""The Signet server: a schema registry that speaks Confluent's REST API (the extra `server` brings what it needs)."""

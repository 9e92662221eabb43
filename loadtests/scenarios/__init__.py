"""Locust scenarios against any registry that speaks Confluent's REST API; each module but three is one scenario."""

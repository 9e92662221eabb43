"""What a registry costs an ingestion over REST: Locust drives loadtests/gateway.py in four variants, in one run."""

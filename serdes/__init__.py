"""Serializers and deserializers that ask a schema registry once and never again."""

"""Avro serializers and deserializers, blocking and async."""

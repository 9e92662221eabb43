"""Each call to the registry as a value: method, path, query, body, and how to read the answer."""

from serdes._requests.request import Answer, Request, read_answer, retry_after_seconds

__all__ = ["Answer", "Request", "read_answer", "retry_after_seconds"]

"""What each question to the registry does, cache first, as generators: no socket, no thread, no event loop."""

from serdes._flows.calls import Calls
from serdes._flows.questions import Questions

__all__ = ["Calls", "Questions"]

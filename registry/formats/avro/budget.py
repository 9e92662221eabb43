"""How much work one schema may cause, shared by all texts that are read for it.

Owns the counting; refuses to know what is counted. Every limit ends in a refusal in one sentence, so that no text can
hold up others.
"""

from __future__ import annotations

from registry.errors import UnparsableSchema


class Budget:
    """An amount of work that can be spent once; `message` is the refusal when it is gone.

    `touched` tells whether any was spent.
    """

    def __init__(self, amount: int, message: str) -> None:
        self._left = amount
        self._message = message
        self.touched = False

    def spend(self, amount: int = 1) -> None:
        """Take from what is left; raises UnparsableSchema when that is not enough."""
        self.touched = True
        self._left -= amount
        if self._left < 0:
            raise UnparsableSchema(self._message)

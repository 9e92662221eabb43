"""Python source under construction: lines with indentation, fresh names, and constants that it refers to.

Refuses to know Avro. Whatever comes from a schema enters the source only through `repr` or as a constant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Source:
    """The body of one generated function."""

    def __init__(self, constants: Constants) -> None:
        self.constants = constants
        self._lines: list[str] = []
        self._depth = 0
        self._names = 0

    def line(self, text: str) -> None:
        """Add a line."""
        self._lines.append("    " * self._depth + text)

    @contextmanager
    def block(self, opening: str) -> Iterator[None]:
        """Add a line that opens a block; what is added inside is indented."""
        self.line(opening)
        self._depth += 1
        before = len(self._lines)
        yield
        # Nothing was added, and a block of Python must not be empty.
        if len(self._lines) == before:
            self.line("pass")
        self._depth -= 1

    @contextmanager
    def captured(self) -> Iterator[list[str]]:
        """What is added inside goes to the list that is given instead."""
        outer, self._lines = self._lines, []
        yield self._lines
        self._lines = outer

    def add(self, lines: list[str]) -> None:
        """Add lines that were captured one level further out."""
        self._lines += ["    " + line for line in lines]

    def fresh(self, letter: str) -> str:
        """A local name that is not in use."""
        self._names += 1
        return f"{letter}{self._names}"

    def local(self, letter: str, expression: str) -> str:
        """A local variable that holds the value of an expression; a name is used as it is."""
        # Read more than once, anything else would be worked out more than once.
        if expression.isidentifier():
            return expression
        name = self.fresh(letter)
        self.line(f"{name} = {expression}")
        return name

    def text(self) -> str:
        """The lines."""
        return "\n".join(self._lines)


class Constants:
    """Objects that generated source refers to by name; one object has one name."""

    def __init__(self, known: dict[str, Any]) -> None:
        self.values = dict(known)
        self._names = {id(value): name for name, value in known.items()}

    def name(self, value: Any, prefix: str) -> str:
        """The name of an object, given out on first use. The object is kept, so that its identity stays its own."""
        name = self._names.get(id(value))
        if name is None:
            name = f"{prefix}{len(self.values)}"
            self.values[name] = value
            self._names[id(value)] = name
        return name


def compiled(functions: dict[str, str], constants: Constants, parameters: tuple[str, ...]) -> Callable[..., Any]:
    """A maker of the first function: called with the parameters, it returns it with the constants bound.

    Constants and parameters become variables of an enclosing function, which are as quick as local ones and, other
    than globals, keep no cache that several makings of the same code would spoil for each other.
    """
    main = next(iter(functions))
    values = dict(constants.values)
    names = [*values, *parameters]
    body = "\n".join(text for text in functions.values())
    indented = "\n".join("    " + line for line in body.split("\n"))
    source = f"def make({', '.join(names)}):\n{indented}\n    return {main}\n"
    namespace: dict[str, Any] = {}
    exec(compile(source, "<serdes codec>", "exec"), namespace)  # noqa: S102 - the point of this package; see the rule on repr
    made = namespace["make"]

    def bound(**given: Any) -> Any:
        # By position: to find each of thousands of names would take longer than to compile the code.
        return made(*values.values(), *(given[name] for name in parameters))

    return bound

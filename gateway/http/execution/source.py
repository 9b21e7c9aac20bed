"""Python functions written for one operation, and the objects that their code uses by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, NoReturn

from graphql import Undefined
from graphql.pyutils import is_awaitable


class Unsupported(Exception):
    """The operation has something that only graphql-core executes; raised while compiling."""


class Unfit(Exception):
    """The request or a result is not what the compiled code knows how to handle; graphql-core then says what is wrong."""


def refuse(value: object) -> NoReturn:
    """Give up on a value, from within an expression.

    Raises:
        Unfit: always.
    """
    raise Unfit(type(value).__name__)


def plain(value: object) -> object:
    """Return a value that is to be completed as it is.

    Raises:
        Unfit: it is null, an exception that was returned rather than raised, or has to be awaited.
    """
    if value is None or value is Undefined or isinstance(value, Exception) or is_awaitable(value):
        refuse(value)
    return value


class Usual(NamedTuple):
    """How a value is completed if it is what nearly all are: the condition for that, the expression, and lines before both."""

    condition: str
    completed: str
    preparation: tuple[str, ...] = ()


class Source:
    """Collects functions as text; all of them are compiled together, so that they may call each other.

    Nothing that a client wrote gets into the text but names, which GraphQL limits to letters, digits and underscores, and
    those only as quoted strings: objects and functions are named by number.
    """

    def __init__(self) -> None:
        """Start with what every function may use."""
        self._names: dict[str, Any] = {"refuse": refuse, "plain": plain}
        self._bound: dict[int, str] = {}
        self._functions: list[str] = []
        self._reserved = 0

    def bind(self, value: object) -> str:
        """Return the name by which code can use an object."""
        name = self._bound.get(id(value))
        if name is None:
            name = self._bound[id(value)] = f"n{len(self._bound)}"
            # Kept alive with the code, so that its identity stays its own.
            self._names[name] = value
        return name

    def reserve(self) -> str:
        """Return the name of a function that is defined later, so that it may be called before."""
        self._reserved += 1
        return f"f{self._reserved}"

    def define(self, name: str, parameters: str, lines: Sequence[str]) -> str:
        """Add a function and return its name."""
        body = "\n".join(f"    {line}" for line in lines)
        self._functions.append(f"def {name}({parameters}):\n{body}\n")
        return name

    def compile(self) -> dict[str, Callable[..., Any]]:
        """Compile everything and return the functions by name."""
        code = compile("\n".join(self._functions), "<compiled operation>", "exec")
        exec(code, self._names)  # noqa: S102 - the text is ours: see the class
        return self._names

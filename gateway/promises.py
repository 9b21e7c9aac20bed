"""Values that come later, and what is to be made of them: like futures, without a turn of the event loop for each step.

Nobody has to wait for a promise: what brings it begins when somebody does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import Any, Generic, TypeAlias, TypeVar, cast

Value = TypeVar("Value")
Changed = TypeVar("Changed")

# Brings something that was promised, at once or after others have had a chance to ask; it is called until the promise is kept.
Bring: TypeAlias = Callable[[bool], Awaitable[None]]


class Promise(Generic[Value]):
    """A value that comes when somebody waits for it."""

    __slots__ = ("_bring", "_error", "_followers", "_value", "is_done")

    def __init__(self, bring: Bring) -> None:
        """Take what goes on with the work that keeps the promise."""
        self._bring = bring
        self._value: Value | None = None
        self._error: Exception | None = None
        self._followers: list[Callable[[], None]] = []
        self.is_done = False

    def keep(self, value: Value) -> None:
        """Let this be the value, unless there is one."""
        if not self.is_done:
            self._value = value
            self._end()

    def fail(self, error: Exception) -> None:
        """Raise this in whoever waits, unless there is a value."""
        if not self.is_done:
            self._error = error
            self._end()

    def then(self, change: Callable[[Value], Changed | Promise[Changed]]) -> Promise[Changed]:
        """Return the promise of what becomes of the value, or of its failure; of what is promised in turn, if it is a promise."""
        changed: Promise[Changed] = Promise(self._bring)

        def follow() -> None:
            try:
                value = change(self.result())
            except Exception as error:  # noqa: BLE001 - it is raised in whoever waits
                changed.fail(error)
                return
            if isinstance(value, Promise):
                value._follow_with(lambda: value._pass_to(changed))
            else:
                changed.keep(value)

        self._follow_with(follow)
        return changed

    def result(self) -> Value:
        """Return the value of a promise that is done.

        Raises:
            Exception: what it failed with.
        """
        if self._error is not None:
            raise self._error
        return cast(Value, self._value)

    async def come(self) -> Value:
        """Wait for the value without giving others a chance to ask for more first: all has been asked for."""
        while not self.is_done:
            await self._bring(True)
        return self.result()

    def __await__(self) -> Generator[Any, Any, Value]:
        """Wait for the value."""
        while not self.is_done:
            yield from self._bring(False).__await__()
        return self.result()

    def _follow_with(self, follow: Callable[[], None]) -> None:
        if self.is_done:
            follow()
        else:
            self._followers.append(follow)

    def _pass_to(self, other: Promise[Value]) -> None:
        if self._error is not None:
            other.fail(self._error)
        else:
            other.keep(cast(Value, self._value))

    def _end(self) -> None:
        self.is_done = True
        followers, self._followers = self._followers, []
        for follow in followers:
            follow()

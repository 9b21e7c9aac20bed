"""One deliberate fault in the code, and the tests that must notice it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class NoLongerApplies(Exception):
    """The text that a mutation replaces is not there exactly once; the message says where."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A fault: in `file`, the `text` that is there exactly once becomes `replacement`; one of `tests` must then fail.

    `tests` are files of tests or single ones, as pytest takes them; the fewer and faster, the better.
    """

    name: str
    file: str
    text: str
    replacement: str
    tests: tuple[str, ...]

    def applied_to(self, source: str) -> str:
        """Return the source with the fault in it.

        Raises:
            NoLongerApplies: the text is there never, or more than once.
        """
        count = source.count(self.text)
        if count != 1:
            times = "nowhere" if not count else f"{count} times"
            raise NoLongerApplies(f"{self.file} has this text {times}: {self.text!r}")
        return source.replace(self.text, self.replacement)

    def read_mutated(self, folder: Path) -> str:
        """Return the file of a checkout with the fault in it.

        Raises:
            NoLongerApplies: the file is not there, or the text is not there exactly once.
        """
        try:
            source = (folder / self.file).read_text()
        except FileNotFoundError:
            raise NoLongerApplies(f"{self.file} is not there") from None
        return self.applied_to(source)

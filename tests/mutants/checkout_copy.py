"""A copy of the checkout to break on purpose: tests run in it, and import it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from tests.mutants.model import Mutation

ROOT = Path(__file__).parents[2]
# Of one test: a fault may make it wait for ever.
TEST_TIMEOUT_SECONDS = 30
# Of all tests of one mutation.
RUN_TIMEOUT_SECONDS = 240
# What pytest means by its exit codes; all others are no verdict.
_ALL_PASSED = 0
_SOME_FAILED = 1


class Verdict(Enum):
    """What a run of tests says."""

    PASSED = "passed"
    FAILED = "failed"
    # Nothing was collected, a test is missing, a module cannot be imported, or the time was up.
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one run of tests."""

    verdict: Verdict
    output: str

    @property
    def last_line(self) -> str:
        """Return what pytest says at its end."""
        lines = [line for line in self.output.splitlines() if line.strip()]
        return lines[-1] if lines else "no output"

    @property
    def failed_tests(self) -> list[str]:
        """Return the names of the tests that failed."""
        return [
            line.split(" - ")[0].split(" ", 1)[1]
            for line in self.output.splitlines()
            if line.startswith(("FAILED tests/", "ERROR tests/"))
        ]


class CheckoutCopy:
    """The tracked files of the checkout in a folder of their own, with the same virtual environment."""

    def __init__(self, folder: Path) -> None:
        """Copy the files as they are now, committed or not."""
        self.folder = folder
        listed = _run(["git", "ls-files", "-z"], ROOT).stdout
        for name in filter(None, listed.split("\0")):
            source = ROOT / name
            if source.is_file():
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)
        (folder / ".venv").symlink_to(ROOT / ".venv")
        self._check_imports()

    def _check_imports(self) -> None:
        """See that tests import the copy and not the checkout, which is installed in the environment.

        Raises:
            RuntimeError: they do not.
        """
        code = "import gateway, resolvers, tests; print(gateway.__file__, resolvers.__file__, tests.__file__)"
        names = _run([sys.executable, "-c", code], self.folder, self._environment).stdout.split()
        if len(names) != 3 or not all(Path(name).is_relative_to(self.folder) for name in names):
            message = f"Tests in the copy would not test it: they import {names}."
            raise RuntimeError(message)

    @property
    def _environment(self) -> dict[str, str]:
        # Programs that tests start import the copy too.
        return os.environ | {"PYTHONPATH": str(self.folder)}

    @contextmanager
    def broken_by(self, mutation: Mutation) -> Iterator[None]:
        """Have the mutation in the copy until the block ends.

        Raises:
            NoLongerApplies: it cannot be had.
        """
        mutated = mutation.read_mutated(self.folder)
        file = self.folder / mutation.file
        original = file.read_text()
        _write(file, mutated)
        try:
            yield
        finally:
            _write(file, original)

    def try_until_one_fails(self, tests: Sequence[str]) -> Trial:
        """Run these tests until one fails."""
        return self._try(["-x", *tests], RUN_TIMEOUT_SECONDS)

    def try_all(self, tests: Sequence[str], timeout_seconds: float) -> Trial:
        """Run all of these tests."""
        return self._try(tests, timeout_seconds)

    def _try(self, tests: Sequence[str], timeout_seconds: float) -> Trial:
        command = [sys.executable, "-m", "pytest", "-q", "--no-header", "--tb=line", "-rfE"]
        command += ["-p", "no:cacheprovider", f"--timeout={TEST_TIMEOUT_SECONDS}", *tests]
        try:
            done = _run(command, self.folder, self._environment, timeout_seconds)
        except subprocess.TimeoutExpired:
            return Trial(Verdict.NONE, f"not done after {timeout_seconds:.0f} s")
        verdicts = {_ALL_PASSED: Verdict.PASSED, _SOME_FAILED: Verdict.FAILED}
        return Trial(verdicts.get(done.returncode, Verdict.NONE), done.stdout + done.stderr)


def _write(file: Path, source: str) -> None:
    file.write_text(source)
    # Python tells by second and size whether what it compiled is of this text; both may be the same.
    compiled = Path(importlib.util.cache_from_source(file))
    compiled.unlink(missing_ok=True)


def _run(
    command: Sequence[str],
    folder: Path,
    environment: dict[str, str] | None = None,
    timeout_seconds: float | None = None,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        timeout=timeout_seconds,
        capture_output=True,
        text=True,
        check=False,
    )

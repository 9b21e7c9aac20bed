"""Figures that tests measured, one line each below the summary, whichever worker ran them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

PROPERTY = "figures"

SayFigures = Callable[[str], None]


@pytest.fixture
def say_figures(record_property: Callable[[str, object], None]) -> SayFigures:
    """Return a function that takes what was measured, in words."""

    def say(text: str) -> None:
        record_property(PROPERTY, text)

    return say


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures of all tests."""
    lines = [
        f"{report.nodeid.rpartition('::')[2]}: {text}"
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        for name, text in getattr(report, "user_properties", [])
        if name == PROPERTY and report.when == "call"
    ]
    if lines:
        terminalreporter.write_sep("-", "figures")
        for line in sorted(lines):
            terminalreporter.write_line(line)

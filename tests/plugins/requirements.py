"""The marker `requirement("OWN-4", …)` and the option `--requirements`, which says what tests prove each rule."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Generator, Iterable
from pathlib import Path

import pytest

RULES_PAGE = Path(__file__).parents[2] / "docs" / "requirements.md"
RULE_LINE = re.compile(r"^- \*\*([A-Z0-9]+-\d+)\*\*", re.MULTILINE)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--requirements",
        action="store_true",
        help="run nothing; print every rule of docs/requirements.md with the tests that prove it",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "requirement(*ids): the test proves these rules of docs/requirements.md"
    )


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Fail the collection of a file that names a rule nobody wrote down."""
    report = yield
    items = [node for node in report.result or [] if isinstance(node, pytest.Item)]
    if unknown := sorted({name for item in items for name in _rules_of(item)} - set(read_rules())):
        report.outcome = "failed"
        report.longrepr = f"Not in docs/requirements.md: {', '.join(unknown)}"
        report.result = []
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Print the table in place of running the tests."""
    if not session.config.getoption("requirements") or session.testsfailed:
        return None
    reporter = session.config.get_terminal_writer()
    reporter.line()
    for line in render_table(read_rules(), session.items):
        reporter.line(line)
    return True


def read_rules() -> list[str]:
    """Return the ids of all rules, in the order of the page."""
    return RULE_LINE.findall(RULES_PAGE.read_text(encoding="utf-8"))


def render_table(rules: Iterable[str], items: Iterable[pytest.Item]) -> list[str]:
    """Return a line for each rule and test that proves it; a parametrized test counts once."""
    tests_by_rule: dict[str, dict[str, None]] = defaultdict(dict)
    for item in items:
        for rule in _rules_of(item):
            tests_by_rule[rule][item.nodeid.partition("[")[0]] = None
    return [
        f"{rule:<8} {test}" for rule in rules for test in tests_by_rule.get(rule, {"none": None})
    ]


def _rules_of(item: pytest.Item) -> list[str]:
    return [rule for marker in item.iter_markers("requirement") for rule in marker.args]

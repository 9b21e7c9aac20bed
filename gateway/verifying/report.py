"""Findings as lines for a person, with the rows as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.storage.database import to_json
from gateway.verifying.checks import CHECKS
from gateway.verifying.model import Finding


def report(findings: Sequence[Finding]) -> list[str]:
    """Return a line for each check, and under a broken one its meaning and its rows."""
    broken = {finding.check: finding for finding in findings}
    lines = []
    for check in CHECKS:
        finding = broken.get(check.name)
        if finding is None:
            lines.append(f"holds   {check.name}")
            continue
        lines.append(f"BROKEN  {check.name}: it does not hold that {finding.meaning}")
        lines += [f"        {to_json(row)}" for row in finding.rows]
        if finding.has_more:
            lines.append("        … and more")
    lines.append(f"{len(CHECKS) - len(broken)} of {len(CHECKS)} checks hold.")
    return lines

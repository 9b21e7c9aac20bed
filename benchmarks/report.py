"""What a run found, and results.json for programs that read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from benchmarks.measures import Result

RESULTS_PATH = Path(__file__).parent / "results.json"


@dataclass(slots=True)
class Report:
    """Results in the order measured; `failures` are scenarios that gave none, and why."""

    results: list[Result] = field(default_factory=list)
    raw: dict[str, Any] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def add(self, *results: Result) -> None:
        """Keep results."""
        self.results.extend(results)

    def write(self, facts: Mapping[str, Any]) -> None:
        """Write results.json."""
        content = {
            **facts,
            "results": [result.to_json() for result in self.results],
            "failures": self.failures,
            "raw": self.raw,
        }
        options = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_DATACLASS
        RESULTS_PATH.write_bytes(orjson.dumps(content, option=options) + b"\n")

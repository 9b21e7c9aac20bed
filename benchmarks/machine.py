"""What the figures were measured on: the machine and the versions, nothing that names anybody or any place."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson
import psutil

from benchmarks.databases import SideDatabase
from benchmarks.inspection_store import SERVER_SETTINGS
from benchmarks.sides import Side

PACKAGES = ("strawberry-graphql", "graphql-core", "starlette", "uvicorn", "uvloop", "asyncpg")
GIGABYTE = 1_000_000_000


def describe_run(database: SideDatabase, sides: Iterable[Side]) -> dict[str, Any]:
    """Return what stands at the head of results.json."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "memory_gigabytes": round(psutil.virtual_memory().total / GIGABYTE, 1),
            "system": f"{platform.system()} {platform.release()}",
            "load_before": os.getloadavg(),
        },
        "versions": {
            "Python": platform.python_version(),
            "wrk": _wrk_version(),
            **{name: version(name) for name in PACKAGES},
            **{side.name: side.version for side in sides},
        },
        "postgresql": orjson.loads(database.fetch_value(SERVER_SETTINGS)),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _wrk_version() -> str:
    finished = subprocess.run(["wrk", "--version"], capture_output=True, text=True, check=False)
    return finished.stdout.split("[")[0].strip()

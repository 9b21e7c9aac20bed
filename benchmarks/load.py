"""Load from wrk, a C client that costs little, with every answer checked."""

from __future__ import annotations

import re
import subprocess
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.failure import BenchmarkFailed

SCRIPT = Path(__file__).parent / "lua" / "load.lua"
RESULT = re.compile(
    r"^RESULT good=(\d+) bad=(\d+) answered=(\d+) microseconds=(\d+) broken=(\d+) "
    r"p50=(\d+) p90=(\d+) p99=(\d+) max=(\d+) sample=(.*)$",
    re.MULTILINE,
)
TIMEOUT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Call:
    """One operation as a side understands it: `{{reference}}` and `{{member}}` in the body are filled in.

    `marker` stands in every answer that is a success and in no other. `values` are members, each with the bearer token to
    ask with.
    """

    path: str
    body: str
    marker: str
    values: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Load:
    """What one turn of load gave. Units: requests a second, milliseconds."""

    good: int
    seconds: float
    p50: float
    p90: float
    p99: float
    slowest: float
    # Processor time for each answer, in microseconds: the client's, the server's and PostgreSQL's.
    client_cpu: float = 0.0
    server_cpu: float = 0.0
    database_cpu: float = 0.0

    @property
    def rate(self) -> float:
        """Return the answers a second."""
        return self.good / self.seconds


def run_load(url: str, call: Call, *, seconds: int, connections: int) -> Load:
    """Ask over `connections` connections for `seconds` seconds.

    Raises:
        BenchmarkFailed: an answer was an error, was missing, or broke off.
    """
    with tempfile.TemporaryDirectory(prefix="rewards-gateway-load-") as folder:
        template, values = Path(folder) / "body", Path(folder) / "values"
        template.write_text(call.body)
        values.write_text("".join(f"{member}\t{token}\n" for member, token in call.values))
        tag = uuid.uuid4()
        script_arguments = [template, values, call.path, f"{tag}-", call.marker, tag.int % 2**31]
        options = ["-t1", f"-c{connections}", f"-d{seconds}s", f"--timeout={TIMEOUT_SECONDS}s"]
        command = ["wrk", *options, "-s", SCRIPT, url, "--", *script_arguments]
        finished = subprocess.run(
            [str(word) for word in command],
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds + 2 * TIMEOUT_SECONDS,
            # Ctrl-C is ours to handle: wrk would report half a turn as a whole one.
            start_new_session=True,
        )
    return _read(finished)


def _read(finished: subprocess.CompletedProcess[str]) -> Load:
    match = RESULT.search(finished.stdout)
    if match is None:
        raise BenchmarkFailed(f"wrk gave no result: {finished.stdout} {finished.stderr}")
    good, bad, answered, microseconds, broken, *latencies = map(int, match.groups()[:-1])
    if bad or broken or good != answered or not good:
        raise BenchmarkFailed(
            f"Of {answered} answers {good} were right and {bad} wrong, and {broken} connections broke. "
            f"The first wrong answer: {match[10]}"
        )
    return Load(good, microseconds / 1e6, *(latency / 1e3 for latency in latencies))

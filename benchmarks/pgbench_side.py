"""pgbench as a side: PostgreSQL's own C client straight on the peers' tables, one database transaction for each grant."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from benchmarks.databases import SideDatabase, fresh_database
from benchmarks.failure import BenchmarkFailed
from benchmarks.load import Load
from benchmarks.peers.seed_store import PEERS_DIR, PeerWorld, seed_peer
from benchmarks.plan import Plan
from gateway.storage.embedded_programs import program_path

THREADS = 2
NAME = "pgbench"
PROCESSED = re.compile(r"number of transactions actually processed: (\d+)")
FAILED = re.compile(r"number of failed transactions: (\d+)")
LATENCY = re.compile(r"latency average = ([\d.]+) ms")
RATE = re.compile(r"tps = ([\d.]+) \(without initial connection time\)")


@dataclass(frozen=True, slots=True)
class PgbenchSide:
    """A database with the peers' tables in it; there is no server but PostgreSQL."""

    database: SideDatabase
    world: PeerWorld
    plan: Plan

    def run_load(self, *, seconds: int, connections: int) -> Load:
        """Grant over `connections` connections for `seconds` seconds; only the mean latency is known.

        Raises:
            BenchmarkFailed: a grant failed.
        """
        parts = urlsplit(self.database.owner_url)
        world = self.world
        variables = {
            "members": self.plan.members,
            "tenant": world.tenant_id,
            "partner": world.partner_id,
            "organization": world.organization_id,
            "cash": world.cash_id,
        }
        defined = [word for name, value in variables.items() for word in ("-D", f"{name}={value}")]
        finished = subprocess.run(
            [
                str(program_path("pgbench")),
                *("--no-vacuum", "--protocol=prepared", f"--jobs={THREADS}"),
                *(f"--client={connections}", f"--time={seconds}", *defined),
                f"--file={PEERS_DIR / 'pgbench' / 'grant.sql'}",
                *("-h", parse_qs(parts.query)["host"][0], "-U", str(parts.username)),
                parts.path.removeprefix("/"),
            ],
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )
        text = finished.stdout
        found = [pattern.search(text) for pattern in (PROCESSED, FAILED, LATENCY, RATE)]
        if finished.returncode or not all(found) or found[1] is None or int(found[1][1]):
            raise BenchmarkFailed(f"pgbench failed: {text} {finished.stderr}")
        processed, _, latency, rate = (float(match[1]) for match in found if match)
        return Load(int(processed), processed / rate, latency, latency, latency, latency)


@contextmanager
def open_pgbench(plan: Plan) -> Iterator[PgbenchSide]:
    """Prepare a fresh database with as much in it as the gateway's."""
    with fresh_database("pgbench", migrated=False) as database:
        world, _ = seed_peer(database, plan, "grant_reward.sql")
        yield PgbenchSide(database, world, plan)

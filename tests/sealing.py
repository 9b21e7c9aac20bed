"""The keys that the tests' databases are sealed with, in memory and as the settings of processes."""

from __future__ import annotations

from gateway.keys.model import Keys

MASTER = bytes(range(32))
KEYS = Keys([MASTER])
SECRET_KEYS = MASTER.hex()

"""How often Python looks for garbage that only its collector finds: seldom (docs/decisions/0035-garbage-is-looked-for-seldom.md)."""

from __future__ import annotations

import gc

# How many more objects than before there must be for a look at the new ones, how many such looks come before one at those that
# outlived them, and how many of these before one at all.
NEW_OBJECTS_MAX = 5_000
LOOKS_AT_NEW_MAX = 50
LOOKS_AT_YOUNG_MAX = 100


def collect_seldom() -> None:
    """Leave what a process has loaded out of every later search for garbage, and search less often; once, before it serves."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS_MAX, LOOKS_AT_NEW_MAX, LOOKS_AT_YOUNG_MAX)

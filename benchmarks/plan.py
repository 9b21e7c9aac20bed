"""How long to measure what: in full within 15 minutes, quickly within about 3, if nothing else runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """Turns and times of one run. Every side of a scenario gets `turns` turns, in alternation."""

    is_quick: bool
    turns: int
    warm_up_seconds: int
    grant_seconds: int
    wallet_seconds: int
    issue_seconds: int
    hot_seconds: int
    growth_seconds: int
    growth_turns: int
    growth_entries_many: int
    # Of 1,000 lines, which are short, and of 10,000.
    small_distributions_per_turn: int
    large_distributions_per_turn: int
    memory_requests: int
    memory_seconds_max: int
    starts: int
    growth_entries_few: int = 100_000
    connections: int = 32
    members: int = 10_000
    wallets: int = 200


FULL = Plan(
    is_quick=False,
    turns=5,
    warm_up_seconds=1,
    grant_seconds=4,
    wallet_seconds=4,
    issue_seconds=4,
    hot_seconds=4,
    growth_seconds=4,
    growth_turns=5,
    growth_entries_many=10_000_000,
    small_distributions_per_turn=15,
    large_distributions_per_turn=3,
    memory_requests=100_000,
    memory_seconds_max=150,
    starts=5,
)
QUICK = Plan(
    is_quick=True,
    turns=2,
    warm_up_seconds=1,
    grant_seconds=2,
    wallet_seconds=2,
    issue_seconds=2,
    hot_seconds=1,
    growth_seconds=1,
    growth_turns=2,
    growth_entries_many=400_000,
    small_distributions_per_turn=2,
    large_distributions_per_turn=1,
    memory_requests=20_000,
    memory_seconds_max=12,
    starts=2,
)

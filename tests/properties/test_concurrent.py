"""The same random actions, all at once and each several times: what was acknowledged is exactly what is there.

The order is anybody's, so no model can say what each answer must be. But every answer says what it did, and together they must
explain every balance.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.storage.database import Database
from gateway.verifying.verify import verify
from tests.properties.actions import BEGINNING, EXAMPLES, model_settings, steps, with_keys
from tests.properties.driver import Driver
from tests.properties.model import GIVES, Action, Reply, price_of
from tests.world import open_world

STOCK = 7
CODES = tuple(f"code-{number}" for number in range(3))
# Grants that are there to be claimed and taken back from the first moment.
FOUNDATION: list[Action] = [
    *BEGINNING,
    ("cash", 0, 100),
    ("cash", 1, 100),
    ("give", 0, "coupon"),
    ("give", 2, "mug"),
    ("issue", 0, (("mug", "1", None), ("points", "1", None))),
]


@dataclass
class Books:
    """What the answers say: who got what by which grant, and what then became of the grants."""

    given: dict[int, tuple[int, Counter[str]]] = field(default_factory=dict)
    claimed: set[int] = field(default_factory=set)
    reversed: set[int] = field(default_factory=set)
    restocked: int = 0

    def note(self, action: Action, reply: Reply) -> None:
        """Add what an answer says was done; replays and refusals did nothing."""
        if "error" in reply or reply["replay"]:
            return
        getattr(self, f"note_{action[0]}")(*action[1:], reply)

    def note_cash(self, member: int, cents: int, reply: Reply) -> None:
        self.add(reply["grant"], member, Counter(owed=cents))

    def note_give(self, member: int, reward: str, reply: Reply) -> None:
        if reply["code"] == "GRANTED":
            self.add(reply["grant"], member, Counter(GIVES[reward]))

    def note_issue(self, member: int, items: tuple[Any, ...], reply: Reply) -> None:
        for (reward, _, _), result in zip(items, reply["items"], strict=True):
            if result["quantity"] and "replay" not in result:
                gave = Counter({a: n * result["quantity"] for a, n in GIVES[reward].items()})
                price = price_of(reward, Decimal(result["quantity"]))
                assert price is not None
                gave.subtract({"points": price[1]})
                self.add(result["grant"], member, gave)

    def note_distribute(self, lines: tuple[Any, ...], reply: Reply) -> None:
        for (member, points, experience), (_, grant) in zip(lines, reply["lines"], strict=True):
            if grant is not None:
                self.add(grant, member, Counter(points=points, experience=experience))

    def note_claim(self, _: int, __: tuple[int, ...], reply: Reply) -> None:
        claimed = {grant for code, grant in reply["items"] if code == "CLAIMED"}
        assert not claimed & self.claimed, "claimed twice"
        self.claimed |= claimed

    def note_reverse(self, _: int, reply: Reply) -> None:
        assert reply["grant"] not in self.reversed, "taken back twice"
        self.reversed.add(reply["grant"])

    def note_restock(self, units: int, _: Reply) -> None:
        self.restocked += units

    def add(self, grant: int, member: int, gave: Counter[str]) -> None:
        assert grant not in self.given, "acknowledged twice"
        self.given[grant] = (member, gave)

    def explain(self) -> dict[str, Any]:
        """Return what must be there now."""
        has: Counter[tuple[int, str]] = Counter()
        stock = STOCK + self.restocked
        for grant, (member, gave) in self.given.items():
            if grant in self.reversed:
                continue
            stock -= gave["mugs"]
            for asset, amount in gave.items():
                in_hand = "cash" if asset == "owed" and grant in self.claimed else asset
                has[member, in_hand] += amount
        return {"stock": stock, "has": {place: amount for place, amount in has.items() if amount}}


@pytest.mark.slow
@pytest.mark.requirement(
    "ALL-2", "ALL-6", "OWN-6", "OWN-9", "MON-9", "MON-10", "CAP-4", "CAP-8", "ALL-4"
)
@settings(model_settings, max_examples=EXAMPLES // 2)
@given(
    sequence=st.lists(steps, min_size=20, max_size=60),
    seed=st.integers(0, 2**32),
    in_groups=st.booleans(),
)
async def test_answers_explain_every_balance(
    database: Database, sequence: list[Action], seed: int, *, in_groups: bool
):
    world = await open_world(database, stock=STOCK, codes=CODES)
    if in_groups:
        world = world.grouped()
    driver, books = Driver(world), Books()
    for key, action in with_keys(FOUNDATION, int):
        books.note(action, await driver.do(f"first-{key}", action))
    foundation_size = len(driver.grant_ids)
    calls = list(with_keys(sequence, lambda: foundation_size))
    # Each client tries again: some at once, some later, always with the same key.
    tries = calls + calls[::2]
    random.Random(seed).shuffle(tries)
    replies = await asyncio.gather(*(driver.do(key, action) for key, action in tries))
    done: Counter[tuple[str, str]] = Counter()
    for (key, action), reply in zip(tries, replies, strict=True):
        books.note(action, reply)
        done[key, action[0]] += "error" not in reply and not reply["replay"] and has_effect(reply)
    assert max(done.values(), default=0) <= 1, "a key was executed twice"
    state = await driver.read_state()
    assert {"stock": state["stock"], "has": state["has"]} == books.explain()
    assert sum(state["codes"].values()) == len(CODES)
    assert set(state["grants"]) == set(books.given)
    assert {
        n for n, (_, status) in state["grants"].items() if status == "REVERSED"
    } == books.reversed
    assert await verify(database, world.caller.tenant_id) == []


def has_effect(reply: Reply) -> bool:
    """Tell whether an answer keeps its key: a call of which nothing came about leaves it free."""
    successes = {"GRANTED", "QUANTITY_REDUCED", "ALREADY_ISSUED", "CLAIMED", "ALREADY_CLAIMED"}
    items = reply.get("items")
    return items is None or any(
        (i["code"] if isinstance(i, dict) else i[0]) in successes for i in items
    )

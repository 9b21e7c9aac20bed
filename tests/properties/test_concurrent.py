"""The same random actions, all at once and each several times: what was acknowledged is exactly what is there.

The order is anybody's, so no model can say what each answer must be. But every answer says what it did, and together they must
explain every balance.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import ErrorCode
from gateway.storage.database import Database
from gateway.verifying.verify import verify
from tests.properties.actions import BEGINNING, EXAMPLES, model_settings, steps, with_keys
from tests.properties.driver import Driver
from tests.properties.model import GIVES, Action, Reply, price_of
from tests.sealing import KEYS
from tests.world import open_world

# A slow machine needs several: every one of them waits for a lock or a connection first.
TRIES_MAX = 100
UNTOLD = {ErrorCode.OVERLOADED, ErrorCode.REQUEST_IN_PROGRESS}
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
    # By key.
    restocked: dict[str, int] = field(default_factory=dict)

    def note(self, key: str, action: Action, reply: Reply) -> None:
        """Add what an answer says was done; replays and refusals did nothing."""
        if "error" in reply or reply["replay"]:
            return
        if action[0] == "restock":
            assert key not in self.restocked, "restocked twice"
            self.restocked[key] = action[1]
        else:
            getattr(self, f"note_{action[0]}")(*action[1:], reply)

    def note_unheard(self, key: str, action: Action, reply: Reply) -> None:
        """Add what a replay says was done, if nobody has heard it: it may be this client's own first try."""
        told = Books()
        told.note(key, action, reply | {"replay": False})
        self.given = told.given | self.given
        self.claimed |= told.claimed
        self.reversed |= told.reversed
        self.restocked |= told.restocked

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

    def add(self, grant: int, member: int, gave: Counter[str]) -> None:
        assert grant not in self.given, "acknowledged twice"
        self.given[grant] = (member, gave)

    def explain(self) -> dict[str, Any]:
        """Return what must be there now."""
        has: Counter[tuple[int, str]] = Counter()
        stock = STOCK + sum(self.restocked.values())
        for grant, (member, gave) in self.given.items():
            if grant in self.reversed:
                continue
            stock -= gave["mugs"]
            for asset, amount in gave.items():
                in_hand = "cash" if asset == "owed" and grant in self.claimed else asset
                has[member, in_hand] += amount
        return {"stock": stock, "has": {place: amount for place, amount in has.items() if amount}}


clients = st.lists(steps, min_size=20, max_size=60)


@pytest.mark.slow
@pytest.mark.requirement(
    "ALL-2", "ALL-6", "OWN-6", "OWN-9", "MON-9", "MON-10", "CAP-4", "CAP-8", "ALL-4"
)
@settings(model_settings, max_examples=EXAMPLES // 2)
@given(sequence=clients, seed=st.integers(0, 2**32), in_groups=st.booleans())
async def test_answers_explain_every_balance(
    database: Database, sequence: list[Action], seed: int, *, in_groups: bool
):
    await do_at_once(database, database, sequence, seed, in_groups=in_groups)


@pytest.mark.slow
@pytest.mark.requirement("ALL-2", "ALL-4", "OWN-6")
@settings(model_settings, max_examples=EXAMPLES // 10)
@given(sequence=clients, seed=st.integers(0, 2**32), in_groups=st.booleans())
async def test_answers_of_a_busy_gateway_explain_every_balance(
    database: Database, database_url: str, sequence: list[Action], seed: int, *, in_groups: bool
):
    """Few connections and little patience: many answers say that the gateway is overloaded, some of them after the commit."""
    busy = await Database.open(
        database_url,
        pool_size_max=3,
        acquire_timeout_seconds=0.05,
        lock_timeout_seconds=0.05,
        keys=KEYS,
    )
    try:
        await do_at_once(database, busy, sequence, seed, in_groups=in_groups)
    finally:
        await busy.close()


async def do_at_once(
    database: Database, used: Database, sequence: list[Action], seed: int, *, in_groups: bool
) -> None:
    """Carry the actions out at once through the `used` pool, and hold the answers to what is then there."""
    world = await open_world(database, stock=STOCK, codes=CODES)
    driver, books = Driver(world), Books()
    for key, action in with_keys(FOUNDATION, int):
        books.note(f"first-{key}", action, await driver.do(f"first-{key}", action))
    foundation_size = len(driver.grant_ids)
    calls = list(with_keys(sequence, lambda: foundation_size))
    # Each client tries again: some at once, some later, always with the same key.
    tries = calls + calls[::2]
    random.Random(seed).shuffle(tries)
    clients_world = replace(world, database=used)
    driver.world = clients_world.grouped() if in_groups else clients_world
    replies = await asyncio.gather(*(do_until_told(driver, key, action) for key, action in tries))
    driver.world = world
    done: Counter[tuple[str, str]] = Counter()
    for (key, action), (reply, _) in zip(tries, replies, strict=True):
        books.note(key, action, reply)
        done[key, action[0]] += "error" not in reply and not reply["replay"] and has_effect(reply)
    assert max(done.values(), default=0) <= 1, "a key was executed twice"
    for (key, action), (reply, may_be_mine) in zip(tries, replies, strict=True):
        if may_be_mine:
            books.note_unheard(key, action, reply)
    state = await driver.read_state()
    assert {"stock": state["stock"], "has": state["has"]} == books.explain()
    assert sum(state["codes"].values()) == len(CODES)
    assert set(state["grants"]) == set(books.given)
    assert {
        n for n, (_, status) in state["grants"].items() if status == "REVERSED"
    } == books.reversed
    assert await verify(database, world.caller.tenant_id) == []


async def do_until_told(driver: Driver, key: str, action: Action) -> tuple[Reply, bool]:
    """Do as a client does, who sends the same again while the gateway is too busy to say what became of it.

    Returns the answer, and whether it may replay what one's own first try has done: a busy gateway may have done it and not
    found a connection to read the answer from.
    """
    may_be_mine = False
    for _ in range(TRIES_MAX):
        reply = await driver.do(key, action)
        if reply.get("error") not in UNTOLD:
            return reply, may_be_mine
        may_be_mine = True
        await asyncio.sleep(0.01)
    raise AssertionError("never told")


def has_effect(reply: Reply) -> bool:
    """Tell whether an answer keeps its key: a call of which nothing came about leaves it free."""
    successes = {"GRANTED", "QUANTITY_REDUCED", "ALREADY_ISSUED", "CLAIMED", "ALREADY_CLAIMED"}
    items = reply.get("items")
    return items is None or any(
        (i["code"] if isinstance(i, dict) else i[0]) in successes for i in items
    )

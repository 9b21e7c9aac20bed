"""Random actions for the model and the gateway alike."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from tests.properties.model import GIVES, NOBODY, NOTHING, Action

# `MODEL_EXAMPLES=5000 pytest tests/properties` looks longer than the usual run can.
EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "40"))
ACTIONS_MAX = 40

members = st.sampled_from([0, 0, 0, 0, 1, 1, 1, 2, 2, NOBODY])
rewards = st.sampled_from(sorted(GIVES))
grant_numbers = st.integers(0, 20)
quantities = st.sampled_from(["1", "1", "1.56", "2", "2.0", "5", "0.99"])
item_keys = st.sampled_from([None, None, None, "a", "b", "c", "d"])
points = st.sampled_from([0, 1, 3, 8, 20, -1, -3, -8])
experience = st.sampled_from([0, 0, 1, 4])

cash = st.tuples(st.just("cash"), members, st.sampled_from([100, 250, 5_000]))
give = st.tuples(st.just("give"), members, rewards)
items = st.lists(st.tuples(rewards, quantities, item_keys), min_size=1, max_size=3)
issue = st.tuples(st.just("issue"), members, items.map(tuple))
lines = st.lists(st.tuples(members, points, experience), min_size=1, max_size=5)
distribute = st.tuples(st.just("distribute"), lines.map(tuple))
numbers = st.lists(grant_numbers, min_size=1, max_size=3)
claim = st.tuples(st.just("claim"), members, numbers.map(tuple))
reverse = st.tuples(st.just("reverse"), grant_numbers)
restock = st.tuples(st.just("restock"), st.integers(1, 3))
# The same key again, so many calls later: as it was, or with something changed.
again = st.tuples(st.just("again"), st.integers(1, 8))
changed = st.tuples(st.just("changed"), st.integers(1, 8))

steps: st.SearchStrategy[Action] = st.one_of(
    cash, give, give, issue, issue, issue, distribute, claim, reverse, restock, again, changed
)
# Something to spend and to take back stands at the beginning.
BEGINNING: list[Action] = [
    ("distribute", ((0, 30, 0), (1, 12, 0), (2, 3, 0))),
    ("cash", 0, 250),
    ("give", 1, "points"),
]
# Lists left to themselves come out short. The first way is for what shrinks.
short, long = (st.lists(steps, min_size=size, max_size=ACTIONS_MAX) for size in (1, 25))
sequences = st.one_of(short, long, long, long).map(lambda rest: BEGINNING + rest)

model_settings = settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    print_blob=True,
)


def with_keys(
    sequence: Iterable[Action], count_grants: Callable[[], int]
) -> Iterator[tuple[str, Action]]:
    """Give each new action a key of its own, and each repeat the key of the call that it repeats.

    A grant that is not there when an action is first asked for is nothing for ever, as it is for whoever asks again.
    """
    calls: list[tuple[str, Action]] = []
    for action in sequence:
        if action[0] not in {"again", "changed"}:
            call = f"key-{len(calls)}", action
        elif len(calls) >= action[1]:
            key, first = calls[-action[1]]
            call = key, first if action[0] == "again" else change(first)
        else:
            continue
        calls.append((call[0], name_grants(call[1], count_grants())))
        yield calls[-1]


def name_grants(action: Action, grant_count: int) -> Action:
    """Return the action with the numbers of grants that are not there replaced by that of nothing."""
    name, *asked, last = action
    if name == "reverse":
        last = last if last < grant_count else NOTHING
    elif name == "claim":
        last = tuple(number if number < grant_count else NOTHING for number in last)
    return (name, *asked, last)


def change(action: Action) -> Action:
    """Return an action that asks for something else."""
    name, *asked, last = action
    if name == "give":
        return (name, *asked, "entry" if last != "entry" else "points")
    if isinstance(last, int):
        return (name, *asked, 0 if last == NOTHING else last + 1)
    more: dict[str, Any] = {"issue": ("entry", "1", None), "distribute": (0, 1, 0), "claim": 0}
    return (name, *asked, (*last, more[name]))

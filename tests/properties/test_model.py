"""Random sequences of everything that moves something: each answer, and what is stored, equals an independent model's."""

from __future__ import annotations

import pytest
from hypothesis import event, example, given

from gateway.storage.database import Database
from gateway.verifying.verify import verify
from tests.properties.actions import model_settings, sequences, with_keys
from tests.properties.driver import Driver, expected_state
from tests.properties.model import Action, Model
from tests.world import open_world

STOCK = 5
CODES = ("first", "second", "third")


@pytest.mark.slow
@pytest.mark.requirement(
    "ALL-2",
    "ALL-6",
    "OWN-6",
    "OWN-7",
    "OWN-9",
    "MON-9",
    "MON-10",
    "CAP-2",
    "CAP-3",
    "CAP-4",
    "CAP-8",
    "ON3-3",
    "ON3-7",
    "ON3-8",
    "ALL-4",
)
@model_settings
@given(sequence=sequences)
@example(sequence=[("distribute", ((0, 8, 1), (0, -8, 0), (0, -1, 4), (3, 1, 0))), ("again", 1)])
@example(
    sequence=[
        ("give", 0, "points"),
        ("issue", 0, (("points", "1", None), ("mug", "1", None))),
        ("reverse", 1),
        ("reverse", 2),
    ]
)
@example(
    sequence=[
        ("cash", 0, 250),
        ("claim", 0, (0, 0, 5)),
        ("reverse", 0),
        ("claim", 0, (0,)),
        ("again", 1),
        ("again", 4),
    ]
)
@example(
    sequence=[
        ("distribute", ((2, 6, 0),)),
        ("issue", 2, (("boost", "1", None),)),
        ("distribute", ((2, -5, 0),)),
        ("reverse", 1),
        ("reverse", 0),
    ]
)
async def test_every_answer_is_the_models(database: Database, sequence: list[Action]):
    world = await open_world(database, stock=STOCK, codes=CODES)
    model, driver = Model(STOCK, len(CODES)), Driver(world)
    for key, action in with_keys(sequence, lambda: len(model.grants)):
        expected = model.do(key, action)
        assert await driver.do(key, action) == expected, f"{key}: {action}"
        assert await driver.read_state() == expected_state(model), f"{key}: {action}"
        event(f"{action[0]}: {expected.get('error', 'answered')}")
    assert await verify(database, world.caller.tenant_id) == []

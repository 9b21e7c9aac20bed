"""Compiled operations answer exactly as graphql-core does, and do the same things once."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from tests.properties.random_operations import Operation, OperationWriter
from tests.toy_operations import (
    CompiledSchema,
    InterpretedSchema,
    ToyContext,
    UnmaskedSchema,
    make_toy_schema,
)

COMPILED = make_toy_schema(CompiledSchema)
INTERPRETED = make_toy_schema(InterpretedSchema)
FAILING = frozenset({"fails", "failsLater", "missing", "missingLater", "returnsError", "tooLarge"})


async def execute(schema: UnmaskedSchema, operation: Operation) -> tuple[str, list[str]]:
    """Return the answer with its keys in their order, and what the mutations did."""
    context = ToyContext()
    result = await schema.execute(operation.text, dict(operation.variables), context)
    errors: list[Any] = [error.formatted for error in result.errors or ()]
    return json.dumps({"data": result.data, "errors": errors}), context.effects


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """Find coroutines that nobody awaited while it is known whose they are."""
    yield
    gc.collect()


# graphql-core leaves some of its own behind when a field fails; those of resolvers are never among them.
@pytest.mark.filterwarnings(
    "ignore:coroutine '(Executor|GraphQLCoreConverter|gather)[^']*' was never awaited:RuntimeWarning"
)
@settings(max_examples=150, deadline=None)
@given(random=st.randoms(use_true_random=False))
async def test_answers_as_graphql_core_does(random: Random) -> None:
    operation = OperationWriter(INTERPRETED._schema, random, FAILING).write()
    note(f"{operation.text}\n{operation.variables}")
    expected = await execute(INTERPRETED, operation)
    assert await execute(COMPILED, operation) == expected

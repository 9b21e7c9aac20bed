"""Mutations, compiled: each is done once, in order, whatever fails, and graphql-core is told what has been done."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.http.execution.replay import Outcome, Outcomes
from gateway.http.execution.source import Unfit
from tests.toy_operations import (
    CompiledSchema,
    InterpretedSchema,
    ToyContext,
    make_toy_schema,
    run_compiled,
)

SCHEMA = make_toy_schema(CompiledSchema)
INTERPRETED = make_toy_schema(InterpretedSchema)


async def execute(schema: Any, query: str, variables: Any = None) -> tuple[Any, Any, list[str]]:
    """Return the data, the errors, and what the mutations did."""
    context = ToyContext()
    result = await schema.execute(query, variables, context)
    return result.data, [error.formatted for error in result.errors or ()], context.effects


async def test_mutations_run_one_after_the_other_each_under_its_name() -> None:
    context = ToyContext()
    outcomes: Outcomes = {}
    data = await run_compiled(
        SCHEMA,
        'mutation { a: act(name: "1") { number later(n: 7) } __typename actNow(name: "2") { number } '
        'b: act(name: "3") { number } choose(how: "foreseen") { ... on Sorry { reason } } }',
        context=context,
        outcomes=outcomes,
    )
    assert list(data.items()) == [
        ("a", {"number": 1, "later": 7}),
        ("__typename", "Mutation"),
        ("actNow", {"number": 2}),
        ("b", {"number": 3}),
        ("choose", {"reason": "foreseen"}),
    ]
    assert context.effects == ["1", "2", "3", "choose foreseen"]
    assert list(outcomes) == list(data)


@pytest.mark.parametrize(
    ("query", "effects"),
    [
        # The first fails: the others run all the same.
        ('mutation { act(name: "1", fail: true) { number } b: act(name: "2") { number } }', "12"),
        (
            'mutation { actNow(name: "1", fail: true) { number } b: act(name: "2") { number } }',
            "12",
        ),
        # What has run is not run again when a later one fails, or a field below it.
        ('mutation { act(name: "1") { number } b: act(name: "2", fail: true) { number } }', "12"),
        ('mutation { act(name: "1") { fails } b: act(name: "2") { number } }', "12"),
        ('mutation { act(name: "1") { missingLater } b: act(name: "2") { number } }', "12"),
        ('mutation { a: actNow(name: "1") { tooLarge } b: actNow(name: "2") { fails } }', "12"),
        # One field asked for under two names, with the same arguments: two mutations.
        ('mutation { a: act(name: "1") { fails } b: act(name: "1") { fails } }', "11"),
        # Non-null: everything is null, and what would come later does not run.
        (
            'mutation { act(name: "1") { number } must(point: {x: 1}, fail: true) { number } '
            'c: act(name: "3") { number } }',
            "1Point(x=1, y=7, label=None, color=<Color.GREEN: 2>, weight=UNSET)",
        ),
        (
            'mutation { __typename returnsError { number } a: act(name: "2") { number } }',
            "returns error2",
        ),
        (
            'mutation { choose(how: "odd") { __typename } a: act(name: "2") { number } }',
            "choose odd",
        ),
    ],
)
async def test_failing_mutations_are_answered_as_graphql_core_does_and_done_once(
    query: str, effects: str
) -> None:
    data, errors, done = await execute(SCHEMA, query)
    assert errors
    assert "".join(done) == effects
    assert (data, errors, done) == await execute(INTERPRETED, query)


async def test_mutation_whose_arguments_do_not_fit_is_not_called() -> None:
    query = "mutation ($name: String = null) { a: act { number } act(name: $name) { number } }"
    outcomes: Outcomes = {}
    with pytest.raises(Unfit):
        await run_compiled(SCHEMA, query, outcomes=outcomes)
    assert list(outcomes) == ["a"]
    assert await execute(SCHEMA, query) == await execute(INTERPRETED, query)


async def test_outcome_of_what_was_raised_is_kept() -> None:
    outcomes: Outcomes = {}
    with pytest.raises(Unfit):
        await run_compiled(SCHEMA, "mutation { act(fail: true) { number } }", outcomes=outcomes)
    assert repr(outcomes["act"]) == repr(Outcome(error=outcomes["act"].error))
    assert str(outcomes["act"].error) == "act"


async def test_cancelled_in_the_middle_it_stops_and_is_not_executed_again() -> None:
    context = ToyContext()
    query = 'mutation { act(name: "1") { number } b: act(name: "2") { number } }'
    running = asyncio.ensure_future(SCHEMA.execute(query, None, context))
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert context.effects == ["1"]


async def test_query_cancelled_in_the_middle_leaves_nothing_running() -> None:
    before = asyncio.all_tasks()
    running = asyncio.ensure_future(
        SCHEMA.execute("{ startLater { later(n: 1) a: later(n: 2) things { number } } }")
    )
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert asyncio.all_tasks() == before


async def test_executions_at_one_time_do_not_know_of_each_other() -> None:
    query = (
        "mutation ($name: String!, $fail: Boolean!) { act(name: $name, fail: $fail) { number } }"
    )
    answers = await asyncio.gather(
        *(execute(SCHEMA, query, {"name": str(n), "fail": n % 2 == 0}) for n in range(20))
    )
    for n, (data, errors, effects) in enumerate(answers):
        assert data == {"act": None if n % 2 == 0 else {"number": 1}}
        assert len(errors) == (n % 2 == 0)
        assert effects == [str(n)]

"""Hostile requests: whatever their kind, what they cost grows at most in proportion to their size, and their answers stay small."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
import pytest

from gateway.http.application import create_http_application
from gateway.http.graphql_schema import GatewaySchema
from gateway.settings import Settings
from resolvers.schema import build_schema
from tests.api.toy_http import GOOD_TOKEN, WIDE, Readiness, ToyContext, authenticate, bearer, codes

SIZES = (1, 4, 16)
REPEATS = 3
# Between measurements of the same work on a busy machine.
NOISE = 3
ANSWER_BYTES_MAX = 16_384
BEFORE_THE_DOCUMENT = {"UNAUTHENTICATED", "PAYLOAD_TOO_LARGE", "BAD_REQUEST", "DOCUMENT_NOT_FOUND"}

GRANT = "mutation m($i: GrantRewardInput!) { grantReward(input: $i) { __typename } }"
DISTRIBUTE = (
    "mutation m($i: DistributeRewardsInput!) { distributeRewards(input: $i) { __typename } }"
)
CLAIM = "mutation m($i: ClaimRewardsInput!) { claimRewards(input: $i) { __typename } }"

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Hostile:
    """A kind of request: its body at a size, and how often its part is repeated at size one."""

    write: Callable[[int], Body | bytes]
    count: int


def with_input(query: str, given: object) -> Body:
    return {"query": query, "variables": {"i": given}}


def unknown_names(count: int) -> Body:
    return with_input(GRANT, {f"a{number}": 1 for number in range(count)})


def unknown_literal_names(count: int) -> Body:
    names = " ".join(f"a{number}:1" for number in range(count))
    return {"query": f"mutation {{ grantReward(input: {{{names}}}) {{ __typename }} }}"}


def nested_literals(count: int) -> Body:
    lists = "[" * 20 + "{ a: {" + "b: 1 " * count + "} }" + "]" * 20
    return {"query": f"mutation {{ grantReward(input: {lists}) {{ __typename }} }}"}


def wrong_lines(count: int) -> Body:
    return with_input(DISTRIBUTE, {"rewards": [{"x": number} for number in range(count)]})


def null_lines(count: int) -> Body:
    return with_input(DISTRIBUTE, {"requestId": "r", "rewards": [None] * count})


def wrong_ids(count: int) -> Body:
    return with_input(CLAIM, {"requestId": "r", "grantIds": [[]] * count})


def long_names(count: int) -> Body:
    """Nest objects whose long names make every place in them long."""
    value: Any = ["\0"] * count
    for level in range(50):
        value = {f"{level}{'n' * count}": value}
    return with_input(GRANT, value)


def deep_variables(count: int) -> bytes:
    """Nest too deeply for the encoder of this test."""
    return orjson.dumps(with_input(GRANT, 0)).replace(b"0", b"[" * count + b"]" * count)


def long_text(field: str) -> Callable[[int], Body]:
    def write(count: int) -> Body:
        given: Any = {"clientReference": "c", "member": {"id": "m"}, "reward": {"custom": {}}}
        text = "1" * count
        if field in {"amount", "expiresAt"}:
            given["reward"]["custom"] = {"amount": "1", field: text}
        given[field] = text
        return with_input(GRANT, given)

    return write


def long_field(count: int) -> Body:
    return {"query": "{ " + "x" * count + " }"}


def unknown_fields(count: int) -> Body:
    return {"query": "{ " + " ".join(f"x{number}" for number in range(count)) + " }"}


def fragments(count: int) -> Body:
    spreads = " ".join(f"...F{number}" for number in range(count))
    definitions = " ".join(
        f"fragment F{number} on Query {{ me {{ id }} }}" for number in range(count)
    )
    return {"query": f"{{ nothing {spreads} }} {definitions}"}


def multiplying_fragments(count: int) -> Body:
    definitions = " ".join(
        f"fragment F{number} on Member {{ groups {{ primaryMember {{ ...F{number + 1} }} }} "
        f"other: groups {{ primaryMember {{ ...F{number + 1} }} }} }}"
        for number in range(count)
    )
    last = f"fragment F{count} on Member {{ id }}"
    return {"query": f"{{ me {{ ...F0 }} }} {definitions} {last}"}


def unused_fragments(count: int) -> Body:
    definitions = " ".join(
        f"fragment F{number} on Query {{ me {{ id }} }}" for number in range(count)
    )
    return {"query": f"{{ nothing }} {definitions}"}


def one_key(count: int) -> Body:
    return {"query": "{ nothing " + "me { id } " * count + "}"}


def inline_fragments(count: int) -> Body:
    return {"query": "{ nothing " + "... { me { id } } " * count + "}"}


def operations(count: int) -> Body:
    return {"query": " ".join(f"query Q{number} {{ me {{ id }} }}" for number in range(count))}


def variables(count: int) -> Body:
    names = " ".join(f"$v{number}: Int" for number in range(count))
    return {"query": f"query ({names}) {{ me {{ id }} }}"}


def directives(count: int) -> Body:
    return {"query": "{ me " + "@x " * count + "{ id } }"}


def arguments(count: int) -> Body:
    return {"query": "{ me(" + " ".join(f"a{number}: 1" for number in range(count)) + ") { id } }"}


def comments(count: int) -> Body:
    return {"query": "#\n" * count + "{ nothing }"}


def brackets(count: int) -> Body:
    return {"query": "{" * count}


def names_beside_the_query(count: int) -> Body:
    return {"query": "{ nothing }", **{f"a{number}": 1 for number in range(count)}}


def long_operation_name(count: int) -> Body:
    return {"query": "query Q { me { id } }", "operationName": "x" * count}


def long_document_id(count: int) -> Body:
    return {"documentId": "x" * count}


KINDS = {
    "unknown names in variables": Hostile(unknown_names, 600),
    "unknown names in literals": Hostile(unknown_literal_names, 80),
    "nested literals": Hostile(nested_literals, 60),
    "wrong lines": Hostile(wrong_lines, 1_000),
    "null lines": Hostile(null_lines, 1_000),
    "wrong ids": Hostile(wrong_ids, 1_000),
    "long names": Hostile(long_names, 500),
    "deep variables": Hostile(deep_variables, 80),
    "long amount": Hostile(long_text("amount"), 20_000),
    "long time": Hostile(long_text("expiresAt"), 20_000),
    "long action code": Hostile(long_text("metadata"), 20_000),
    "long unknown name": Hostile(long_text("nothing"), 20_000),
    "long field": Hostile(long_field, 2_000),
    "unknown fields": Hostile(unknown_fields, 20),
    "fragments": Hostile(fragments, 20),
    "multiplying fragments": Hostile(multiplying_fragments, 6),
    "unused fragments": Hostile(unused_fragments, 20),
    "one key": Hostile(one_key, 20),
    "inline fragments": Hostile(inline_fragments, 20),
    "operations": Hostile(operations, 20),
    "variables": Hostile(variables, 20),
    "directives": Hostile(directives, 20),
    "arguments": Hostile(arguments, 20),
    "comments": Hostile(comments, 100),
    "brackets": Hostile(brackets, 100),
    "names beside the query": Hostile(names_beside_the_query, 400),
    "long operation name": Hostile(long_operation_name, 20_000),
    "long document id": Hostile(long_document_id, 20_000),
}


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of the real schema, as in production, without anything behind it: no hostile request gets so far."""
    application = create_http_application(
        schema=build_schema(GatewaySchema),
        settings=Settings(allowance=WIDE),
        authenticate=authenticate,
        make_context=ToyContext,
        find_reasons=Readiness(),
    )
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


@pytest.mark.parametrize("is_known", [False, True], ids=["anonymous", "known"])
@pytest.mark.parametrize("kind", KINDS)
async def test_cost_of_a_hostile_request_grows_at_most_with_its_size(
    client: httpx.AsyncClient, kind: str, is_known: bool
) -> None:
    hostile = KINDS[kind]
    headers = {"Content-Type": "application/json"}
    if is_known:
        headers["Authorization"] = bearer(GOOD_TOKEN)
    # What any request costs: below ten times that, differences say nothing.
    seconds_least = (
        10 * (await measure(client, orjson.dumps({"query": "{ __typename }"}), headers))[0]
    )
    costs = {}
    for size in SIZES:
        written = hostile.write(hostile.count * size)
        body = written if isinstance(written, bytes) else orjson.dumps(written)
        costs[size], answer = await measure(client, body, headers)
        assert answer.status_code in ({400, 413} if is_known else {400, 401, 413})
        if not is_known:
            # Its document was not even validated.
            assert set(codes(answer)) <= BEFORE_THE_DOCUMENT
        assert "data" not in answer.json()
        assert len(answer.content) <= ANSWER_BYTES_MAX
        assert "Did you mean" not in answer.text
    base = max(costs[1], seconds_least)
    for size, cost in costs.items():
        assert cost <= NOISE * size * base, costs


async def measure(
    client: httpx.AsyncClient, body: bytes, headers: dict[str, str]
) -> tuple[float, httpx.Response]:
    """Return the least processor time of a request, in seconds, and its answer."""
    least = float("inf")
    for _ in range(REPEATS):
        started = time.process_time()
        answer = await client.post(
            "/graphql",
            content=body,
            headers={**headers, "Accept": "application/graphql-response+json"},
        )
        least = min(least, time.process_time() - started)
    return least, answer


async def test_answer_to_many_errors_of_huge_input_is_small(client: httpx.AsyncClient) -> None:
    given = {"clientReference": ["\x01" * 240] * 10, "member": "\U0001f600" * 240}
    for name in ("reward", "actionCode", "dryRun"):
        given[name] = ["\x02" * 240] * 10
    answer = await client.post(
        "/graphql",
        json=with_input(GRANT, given),
        headers={"Authorization": bearer(), "Accept": "application/graphql-response+json"},
    )
    assert answer.status_code == 400
    assert len(answer.json()["errors"]) > 1
    assert all(len(error["message"]) <= 300 for error in answer.json()["errors"])
    assert len(answer.content) <= ANSWER_BYTES_MAX


@pytest.mark.parametrize(
    ("body", "last_message"),
    [
        (
            {"query": f"{{ {' '.join(f'unknown{number}' for number in range(60))} }}"},
            "Too many validation errors",
        ),
        (
            with_input(GRANT, {f"unknown{number}": number for number in range(60)}),
            "Too many errors processing variables",
        ),
    ],
    ids=["document", "variables"],
)
async def test_ten_errors_are_collected_and_one_that_says_so(
    client: httpx.AsyncClient, body: dict[str, Any], last_message: str
) -> None:
    headers = {"Authorization": bearer(), "Accept": "application/graphql-response+json"}
    answer = await client.post("/graphql", json=body, headers=headers)
    errors = answer.json()["errors"]
    assert len(errors) == 11
    assert errors[-1]["message"].startswith(last_message)


async def test_anonymous_body_is_bounded_before_it_is_read(client: httpx.AsyncClient) -> None:
    body = orjson.dumps({"query": "{ __typename }", "variables": {"x": "x" * 16_384}})
    headers = {"Content-Type": "application/json"}
    assert (await client.post("/graphql", content=body, headers=headers)).status_code == 413
    known = {**headers, "Authorization": bearer()}
    assert (await client.post("/graphql", content=body, headers=known)).status_code == 200

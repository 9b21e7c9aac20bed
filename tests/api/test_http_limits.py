"""Limits on documents: each holds, in little time, and documents are kept within bounds."""

from __future__ import annotations

import contextlib
import select
import socket
from pathlib import Path

import httpx
import pytest
from strawberry import Schema

from gateway.http.body_budget import TENANT_BODIES_MAX, BodyBudget
from gateway.http.graphql_documents import (
    COMMENTS_MAX,
    SOURCE_CHARACTERS_MAX,
    TOKENS_MAX,
    DocumentCache,
)
from gateway.http.operation_limits import (
    ALIASES_MAX,
    DEPTH_MAX,
    DIRECTIVES_MAX,
    FIELDS_MAX,
    FRAGMENTS_MAX,
    NAMES_MAX,
    OPERATIONS_MAX,
    SAME_KEY_MAX,
    VARIABLES_MAX,
)
from gateway.http.refusals import RequestRefused
from tests.api.toy_http import (
    BODY_BYTES_MAX,
    WAIT_SECONDS,
    bearer,
    codes,
    create_toy_application,
    create_toy_schema,
    post,
    serve,
)

FRAGMENTS = 100


def nested(depth: int) -> str:
    return "{ child " * (depth - 1) + "{ name }" + " }" * (depth - 1)


def aliased(count: int) -> str:
    return "{ " + " ".join(f"a{index}: hello" for index in range(count)) + " }"


def wide(count: int) -> str:
    """Ask for so many fields, at most fifty of them with one key."""
    children, rest = divmod(count, SAME_KEY_MAX)
    nested = [f"a{number}: child {{ {'name ' * (SAME_KEY_MAX - 1)}}}" for number in range(children)]
    return "{ " + " ".join(nested) + " hello" * rest + " }"


def repeated(count: int) -> str:
    """Ask for one key so many times, through fragments too."""
    return "{ ...F ... { hello } " + "hello " * (count - 2) + "} fragment F on Query { hello }"


def repeated_below(count: int) -> str:
    """Ask for one key so many times, under fields that are merged."""
    return (
        "{ "
        + "child { name } " * (count // 2)
        + "child { "
        + "name " * (count - count // 2)
        + "} }"
    )


def defined(count: int) -> str:
    return "query A { hello } " + " ".join(f"query Q{n} {{ hello }}" for n in range(count - 1))


def in_fragments(count: int) -> str:
    spread = " ".join(f"...F{number}" for number in range(count))
    fragments = " ".join(f"fragment F{number} on Query {{ hello }}" for number in range(count))
    return f"{{ {spread} }} {fragments}"


def with_variables(count: int) -> str:
    names = [f"$v{number}" for number in range(count)]
    definitions = " ".join(f"{name}: Int = 1" for name in names)
    return f"query ({definitions}) {{ echo(value: [{' '.join(names)}]) }}"


def with_names(count: int) -> str:
    return "{ echo(value: {" + " ".join(f"n{number}: 1" for number in range(count)) + "}) }"


def directed(count: int) -> str:
    included = "name @include(if: true) "
    children, rest = divmod(count, SAME_KEY_MAX)
    sizes = [SAME_KEY_MAX] * children + [rest]
    nested = [
        f"a{number}: child {{ id: name {included * size}}}" for number, size in enumerate(sizes)
    ]
    return "{ " + " ".join(nested) + " }"


def commented(count: int) -> str:
    return "#\n" * count + "{ hello }"


def long(characters: int) -> str:
    return "{ hello }".ljust(characters)


def arguments(count: int) -> str:
    """Each element of a list is one token; there are nine others."""
    return "{ echo(value: [" + "1 " * (count - 9) + "]) }"


@pytest.mark.parametrize(
    ("within", "beyond", "message"),
    [
        (nested(DEPTH_MAX), nested(DEPTH_MAX + 1), f"{DEPTH_MAX + 1} levels"),
        (aliased(ALIASES_MAX), aliased(ALIASES_MAX + 1), f"{ALIASES_MAX + 1} aliases"),
        (wide(FIELDS_MAX), wide(FIELDS_MAX + 1), f"{FIELDS_MAX + 1} fields"),
        (repeated(SAME_KEY_MAX), repeated(SAME_KEY_MAX + 1), f"{SAME_KEY_MAX + 1} fields named"),
        (repeated_below(SAME_KEY_MAX), repeated_below(SAME_KEY_MAX + 1), "fields named name"),
        (defined(OPERATIONS_MAX), defined(OPERATIONS_MAX + 1), f"{OPERATIONS_MAX + 1} operations"),
        (in_fragments(SAME_KEY_MAX), in_fragments(FRAGMENTS_MAX + 1), "101 fragments"),
        (with_variables(VARIABLES_MAX), with_variables(VARIABLES_MAX + 1), "101 variables"),
        (with_names(NAMES_MAX), with_names(NAMES_MAX + 1), f"{NAMES_MAX + 1} names"),
        (directed(DIRECTIVES_MAX), directed(DIRECTIVES_MAX + 1), "more than 100 directives"),
        (commented(COMMENTS_MAX), commented(COMMENTS_MAX + 1), "comments"),
        (long(SOURCE_CHARACTERS_MAX), long(SOURCE_CHARACTERS_MAX + 1), "code points"),
        (arguments(TOKENS_MAX), arguments(TOKENS_MAX + 1), "tokens"),
    ],
    ids=[
        "depth",
        "aliases",
        "fields",
        "one key",
        "one key below",
        "operations",
        "fragments",
        "variables",
        "names",
        "directives",
        "comments",
        "length",
        "tokens",
    ],
)
def test_limit_is_where_it_says(
    development: httpx.Client, within: str, beyond: str, message: str
) -> None:
    name = "A" if "query A" in within else None
    assert post(development, within, operation_name=name).status_code == 200
    response = post(development, beyond, operation_name=name)
    assert response.status_code == 400
    assert message in response.json()["errors"][0]["message"]
    assert codes(response)[0] in {"GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"}


def test_fragments_count_where_they_are_spread(development: httpx.Client) -> None:
    half = ALIASES_MAX // 2 + 1
    fragment = "fragment F on Query " + aliased(half)
    assert post(development, "{ ...F } " + fragment).status_code == 200
    spread_twice = "{ ...F child { ... on Child { name } } ...F } "
    assert "aliases" in post(development, spread_twice + fragment).json()["errors"][0]["message"]


def test_fragments_that_multiply_are_refused_at_once(development: httpx.Client) -> None:
    """Spread twice each, a hundred fragments ask for 2 to the 100th fields."""
    fragments = " ".join(
        f"fragment F{index} on Child {{ name ...F{index + 1} child {{ ...F{index + 1} }} }}"
        for index in range(FRAGMENTS)
    )
    query = f"{{ child {{ ...F0 }} }} {fragments} fragment F{FRAGMENTS} on Child {{ name }}"
    # A check that followed every spread would not answer before the client's time-out.
    assert post(development, query).status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
        "{ ...Missing }",
        "{ child }",
        "{ child { } }",
        "{" * 1000,
        "{ child " * 190 + "}" * 190,
    ],
)
def test_broken_documents_are_refused(development: httpx.Client, query: str) -> None:
    response = post(development, query)
    assert response.status_code == 400
    assert set(codes(response)) <= {"GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"}


def test_document_is_checked_once() -> None:
    schema = create_toy_schema()
    cache = DocumentCache()
    first = cache.load(schema._schema, "{ hello }")
    assert cache.load(schema._schema, "{ hello }") is first
    assert cache.load(schema._schema, "{hello}") is not first


def test_cache_forgets_the_least_recently_used() -> None:
    schema = create_toy_schema()
    documents = ["{ a: hello }", "{ b: hello }", "{ c: hello }"]
    cache = DocumentCache(characters_max=len("".join(documents[:2])))
    first = cache.load(schema._schema, documents[0])
    second = cache.load(schema._schema, documents[1])
    cache.load(schema._schema, documents[0])
    cache.load(schema._schema, documents[2])
    assert cache.load(schema._schema, documents[0]) is first
    assert cache.load(schema._schema, documents[1]) is not second


def test_two_schemas_share_no_documents() -> None:
    one, other = create_toy_schema(), create_toy_schema()
    assert isinstance(one, Schema)
    assert one._documents is not other._documents


async def test_limits_hold_without_http() -> None:
    result = await create_toy_schema().execute(nested(DEPTH_MAX + 1))
    assert result.errors
    assert result.errors[0].extensions == {"code": "GRAPHQL_VALIDATION_FAILED"}


async def test_unfinished_bodies_have_a_bound_for_all_and_for_each_tenant() -> None:
    budget = BodyBudget(body_bytes_max=100)
    with contextlib.ExitStack() as stack:
        shares = [stack.enter_context(budget.keep(tenant)) for tenant in "AABBCC"]
        for share in shares[:4]:
            share.grow(300)
        with pytest.raises(RequestRefused) as refused:
            shares[0].grow(1)
        assert refused.value.status == 503
        # The last tenant has no more than what is left of all.
        shares[4].grow(400)
        with pytest.raises(RequestRefused):
            shares[5].grow(1)
    assert budget.add("A", 600)
    assert not budget.add("A", 1)


def test_large_bodies_over_the_budget_are_refused_and_leave_no_trace(tmp_path: Path) -> None:
    """A tenant may have six bodies of the largest size under way; one more is refused before it is whole."""
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: here\r\nAuthorization: {bearer()}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {BODY_BYTES_MAX}\r\n\r\n"
    ).encode()
    body = b'{"query": "{ hello }"'.ljust(BODY_BYTES_MAX - 1)
    with serve(create_toy_application(development=False, data_dir=tmp_path)) as client:
        address = (client.base_url.host, client.base_url.port)
        for _ in range(2):
            with contextlib.ExitStack() as stack:
                senders = [
                    stack.enter_context(socket.create_connection(address))
                    for _ in range(TENANT_BODIES_MAX + 1)
                ]
                for sender in senders:
                    sender.sendall(head + body)
                [refused], _, _ = select.select(senders, [], [], WAIT_SECONDS)
                assert refused.recv(1_000).startswith(b"HTTP/1.1 503 Service Unavailable")
                senders.remove(refused)
                for sender in senders:
                    sender.sendall(b"}")
                for sender in senders:
                    assert sender.recv(1_000).startswith(b"HTTP/1.1 200 OK")

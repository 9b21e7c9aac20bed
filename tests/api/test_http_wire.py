"""The endpoint as a server calls it: headers more than once, bodies in pieces, clients that leave."""

from __future__ import annotations

import logging
from typing import Any

import httpx
import orjson
import pytest
from starlette.types import ASGIApp, Message

from gateway.http.answers import whole_answer
from gateway.http.headers import find_header, read_headers
from gateway.http.lean_protocol import LeanHttpProtocol
from tests.api.toy_http import bearer, create_toy_application, post

HELLO = b'{"query": "{ hello }"}'
JSON_TYPE = (b"content-type", b"application/json")
# The headers of a caller with a credential.
KNOWN = [JSON_TYPE, (b"authorization", bearer().encode())]


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> ASGIApp:
    """Give the toy application, in development."""
    return create_toy_application(development=True, data_dir=tmp_path_factory.mktemp("data"))


async def call(
    application: ASGIApp,
    messages: list[Message],
    headers: list[tuple[bytes, bytes]],
    **more: object,
) -> list[Message]:
    """Post a request that arrives in these messages, and return what is sent for it."""
    arriving, sent = iter(messages), []

    async def receive() -> Message:
        return next(arriving)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "query_string": b"",
        "headers": headers,
        **more,
    }
    await application(scope, receive, send)
    return sent


@pytest.mark.parametrize("query", ["{ hello }", "{ me }", "{ missing hello }", "{ nothing }"])
async def test_answer_is_the_same_in_one_piece(application: ASGIApp, query: str) -> None:
    """A server that takes answers whole gets the headers that any other gets, rendered."""
    asked = in_pieces(orjson.dumps({"query": query}))
    headers = [*KNOWN, (b"x-request-id", b"one")]
    start, body = await call(application, asked, headers)
    [whole] = await call(application, asked, headers, extensions=LeanHttpProtocol.extensions)
    lines = b"".join(b"%b: %b\r\n" % header for header in start["headers"])
    assert whole == whole_answer(start["status"], lines, body["body"])
    assert b"x-request-id: one\r\n" in lines


def in_pieces(*pieces: bytes) -> list[Message]:
    return [
        {"type": "http.request", "body": piece, "more_body": number < len(pieces)}
        for number, piece in enumerate(pieces, 1)
    ]


def test_first_of_a_repeated_header_counts() -> None:
    headers = [(b"accept", b"a/b"), (b"host", b"h\xe9"), (b"accept", b"c/d"), (b"accept", b"e/f")]
    read = read_headers({"headers": headers})
    assert read == {b"accept": b"a/b", b"host": b"h\xe9"}
    assert [find_header(read, name) for name in (b"accept", b"host", b"x")] == ["a/b", "hé", None]
    assert read_headers({"headers": []}) == {}


async def test_second_credential_is_not_looked_at(application: ASGIApp) -> None:
    """A proxy and an application that read different ones would disagree on who calls."""
    me = in_pieces(b'{"query": "{ me }"}')
    headers = [
        JSON_TYPE,
        (b"authorization", bearer().encode()),
        (b"authorization", b"Bearer other"),
    ]
    _, body = await call(application, me, headers)
    assert "errors" not in orjson.loads(body["body"])


@pytest.mark.parametrize(
    "pieces", [(HELLO,), (HELLO[:5], HELLO[5:]), (b"", *(bytes([byte]) for byte in HELLO), b"")]
)
async def test_body_may_come_in_pieces(application: ASGIApp, pieces: tuple[bytes, ...]) -> None:
    start, body = await call(application, in_pieces(*pieces), KNOWN)
    assert start["status"] == 200
    assert orjson.loads(body["body"]) == {"data": {"hello": "hello world"}}
    names = [name for name, _ in start["headers"]]
    assert len(names) == len(set(names))
    assert dict(start["headers"])[b"content-length"] == str(len(body["body"])).encode()


async def test_client_that_leaves_in_the_middle_gets_no_answer(
    application: ASGIApp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "gateway.requests")
    messages: list[Message] = [*in_pieces(HELLO, b"")[:1], {"type": "http.disconnect"}]
    assert await call(application, messages, [JSON_TYPE]) == []
    facts: list[dict[str, Any]] = [record.facts for record in caplog.records]  # type: ignore[attr-defined]
    assert [fact["status"] for fact in facts] == [499]


@pytest.mark.parametrize("path", ["/graphql", "/graphql/"])
def test_head_is_get_without_its_body(development: httpx.Client, path: str) -> None:
    asked = {"query": "{ hello }"}
    head, get = development.head(path, params=asked), development.get(path, params=asked)
    assert (head.status_code, head.content) == (200, b"")
    assert get.json() == {"data": {"hello": "hello world"}}
    for name in ("content-type", "content-length", "cache-control"):
        assert head.headers[name] == get.headers[name]


@pytest.mark.parametrize("path", ["/graphql/", "/graphql"])
def test_slash_at_the_end_makes_no_difference(development: httpx.Client, path: str) -> None:
    answer = development.post(path, json={"query": "{ hello }"}, follow_redirects=False)
    assert answer.json() == {"data": {"hello": "hello world"}}


def test_other_paths_are_not_the_endpoint(development: httpx.Client) -> None:
    for path in ("/graphql//", "/graphql/x", "/GraphQL", "/"):
        assert development.post(path, json={"query": "{ hello }"}).status_code in {404, 405}


def test_connection_serves_the_next_request_after_a_refusal(production: httpx.Client) -> None:
    """What of a refused request's body was not read must not be taken for the next request."""
    for method in ("PUT", "DELETE"):
        refused = production.request(method, "/graphql", content=HELLO * 100)
        assert refused.status_code == 405
        assert post(production, "{ hello }").json() == {"data": {"hello": "hello world"}}


@pytest.mark.parametrize("length", [b"nonsense", b"-1", b"\xb2", b"1", b""])
async def test_length_that_lies_is_no_reason_to_believe_it(
    application: ASGIApp, length: bytes
) -> None:
    """`Content-Length` is only ever a reason to refuse early: what counts is what comes."""
    _, body = await call(application, in_pieces(HELLO), [*KNOWN, (b"content-length", length)])
    assert orjson.loads(body["body"]) == {"data": {"hello": "hello world"}}

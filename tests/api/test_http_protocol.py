"""GraphQL over HTTP: methods, media types, bodies, and what is refused before anything runs."""

from __future__ import annotations

import json
import socket

import httpx
import pytest

from gateway.http.media_types import GRAPHQL_RESPONSE, JSON, choose_response_type
from tests.api.toy_http import BODY_BYTES_MAX, codes, post, wait_until

JSON_HEADERS = {"Content-Type": "application/json"}


def test_operation_answers_data(development: httpx.Client) -> None:
    response = post(development, "query Q($n: String!) { hello(name: $n) }", {"n": "Zoë 🏊"})
    assert response.status_code == 200
    assert response.headers["content-type"] == GRAPHQL_RESPONSE
    assert response.json() == {"data": {"hello": "hello Zoë 🏊"}}


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/json", JSON),
        ("application/json; charset=utf-8", JSON),
        ("application/graphql-response+json", GRAPHQL_RESPONSE),
        ("application/json, application/graphql-response+json", GRAPHQL_RESPONSE),
        ("application/graphql-response+json;q=0.5, application/json;q=0.9", JSON),
        ("text/html, */*;q=0.1", JSON),
        ("application/json;q=0, */*", GRAPHQL_RESPONSE),
        ("multipart/mixed, application/json", JSON),
        ("text/html", None),
        ("application/json;q=0", None),
        ("application/json;q=nonsense", None),
    ],
)
def test_accept_chooses_the_media_type(accept: str | None, expected: str | None) -> None:
    assert choose_response_type(accept) == expected


def test_client_that_accepts_neither_type_is_refused(development: httpx.Client) -> None:
    response = post(development, "{ hello }", Accept="text/html")
    assert response.status_code == 406
    assert response.headers["content-type"] == JSON
    assert codes(response) == ["NOT_ACCEPTABLE"]


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/json; charset=latin-1",
    ],
)
def test_other_content_types_are_refused(
    development: httpx.Client, content_type: str | None
) -> None:
    """A page of another site can send none but these without asking first (CSRF)."""
    headers = {} if content_type is None else {"Content-Type": content_type}
    response = development.post("/graphql", content=b'{"query":"{ hello }"}', headers=headers)
    assert response.status_code == 415
    assert codes(response) == ["UNSUPPORTED_MEDIA_TYPE"]


def test_compressed_body_is_refused(development: httpx.Client) -> None:
    """A small body that inflates past the limit must not be read."""
    response = post(development, "{ hello }", Content_Encoding="gzip")
    assert response.status_code == 415


def test_utf8_charset_is_accepted(development: httpx.Client) -> None:
    response = development.post(
        "/graphql",
        content=b'{"query":"{ hello }"}',
        headers={"Content-Type": 'application/json; charset="UTF-8"'},
    )
    assert response.status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b'"{ hello }"',
        b"42",
        b"true",
        b"[]",
        b'[{"query":"{ hello }"}]',
        b"{}",
        b'{"query":null}',
        b'{"query":""}',
        b'{"query":"  "}',
        b'{"query":7}',
        b'{"query":"{ hello }","variables":[]}',
        b'{"query":"{ hello }","variables":"{}"}',
        b'{"query":"{ hello }","operationName":1}',
        b'{"query":"{ hello }","extensions":[]}',
        b'{"query":"{ hello }","variables":{"a":NaN}}',
        b'{"query":"{ hello }","variables":{"a":Infinity}}',
        b'{"query":"{ hello }","variables":{"a":-Infinity}}',
        b'{"query":"{ hello }","variables":{"a":1e999}}',
        b'{"query":"{ hello }","variables":{"a":"\\u0000"}}',
        b'{"query":"{ hello }","variables":{"a":[{"\\u0000":1}]}}',
        b'{"query":"{ hello }","variables":{"a":"\x00"}}',
        b'{"query":"{ hello }\\u0000"}',
        b'{"query":"{ hello }","variables":{"a":"\\ud800"}}',
        b'{"query":"{ hello }","variables":{"a":"\xff"}}',
        b"\xef\xbb\xbf" + b'{"query":"{ hello }"}',
        "{}".encode("utf-16"),
        b'{"query":"{ hello }","variables":{"a":' + b"[" * 70 + b"]" * 70 + b"}}",
        b"[" * 30_000,
        b"[" * 15_000 + b"]" * 15_000,
    ],
)
@pytest.mark.parametrize("accept", [JSON, GRAPHQL_RESPONSE])
def test_malformed_body_is_refused_clearly(
    development: httpx.Client, body: bytes, accept: str
) -> None:
    """Whatever is sent, the answer is 400 with one GraphQL error, never a fault."""
    response = development.post(
        "/graphql", content=body, headers={**JSON_HEADERS, "Accept": accept}
    )
    assert response.status_code == 400
    assert response.headers["content-type"] == accept
    assert codes(response) == ["BAD_REQUEST"]
    assert "data" not in response.json()
    assert response.json()["errors"][0]["message"]


def test_text_that_only_looks_like_nul_is_taken(development: httpx.Client) -> None:
    """A backslash and `u0000` are six ordinary characters."""
    response = post(development, "query Q($n: String!) { hello(name: $n) }", {"n": "\\u0000"})
    assert response.json() == {"data": {"hello": "hello \\u0000"}}


@pytest.mark.parametrize("literal", [r'"\u0000"', r'"a\u{0}b"'])
def test_nul_in_a_literal_is_refused(development: httpx.Client, literal: str) -> None:
    response = post(development, f"{{ hello(name: {literal}) }}")
    assert response.status_code == 400
    assert codes(response) == ["GRAPHQL_VALIDATION_FAILED"]


def test_lone_surrogate_in_a_literal_is_refused(development: httpx.Client) -> None:
    response = post(development, r'{ hello(name: "\ud800") }')
    assert response.status_code == 400
    assert codes(response) == ["GRAPHQL_PARSE_FAILED"]


def test_deep_variables_within_the_limit_are_taken(development: httpx.Client) -> None:
    value: object = 1
    for _ in range(60):
        value = [value]
    response = post(development, "query Q($v: JSON!) { echo(value: $v) }", {"v": value})
    assert response.json() == {"data": {"echo": value}}


def test_body_at_the_limit_is_read(development: httpx.Client) -> None:
    body = b'{"query":"{ hello }"}'.ljust(BODY_BYTES_MAX)
    assert development.post("/graphql", content=body, headers=JSON_HEADERS).status_code == 200


@pytest.mark.parametrize("is_streamed", [False, True])
def test_body_over_the_limit_is_refused(development: httpx.Client, is_streamed: bool) -> None:
    """With and without a declared length."""
    body = b'{"query":"{ hello }"}'.ljust(BODY_BYTES_MAX + 1)
    content = iter([body[:1000], body[1000:]]) if is_streamed else body
    response = development.post("/graphql", content=content, headers=JSON_HEADERS)
    assert response.status_code == 413
    assert codes(response) == ["PAYLOAD_TOO_LARGE"]
    assert response.headers["connection"] == "close"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(development: httpx.Client, method: str) -> None:
    response = development.request(method, "/graphql")
    assert response.status_code == 405
    assert codes(response) == ["METHOD_NOT_ALLOWED"]
    assert set(response.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}


def test_get_runs_queries_in_development(development: httpx.Client) -> None:
    parameters = {
        "query": "query Q($n: String!) { hello(name: $n) }",
        "variables": json.dumps({"n": "Ada"}),
    }
    response = development.get("/graphql", params=parameters)
    assert response.json() == {"data": {"hello": "hello Ada"}}


@pytest.mark.parametrize("query", ["mutation { act }", "query A { hello } mutation B { act }"])
def test_get_never_runs_mutations(development: httpx.Client, query: str) -> None:
    response = development.get(
        "/graphql", params={"query": query, "operationName": "B" * ("B" in query)}
    )
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert codes(response) == ["METHOD_NOT_ALLOWED"]


@pytest.mark.parametrize("parameters", [{}, {"query": "{ hello }", "variables": "{"}])
def test_malformed_get_is_refused(development: httpx.Client, parameters: dict[str, str]) -> None:
    response = development.get("/graphql", params=parameters)
    assert response.status_code == 400
    assert codes(response) == ["BAD_REQUEST"]


def test_get_is_refused_in_production(production: httpx.Client) -> None:
    response = production.get("/graphql", params={"query": "{ hello }"})
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"


def test_unknown_path_answers_in_the_same_shape(production: httpx.Client) -> None:
    response = production.get("/nothing-here")
    assert response.status_code == 404
    assert codes(response) == ["NOT_FOUND"]


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{", None, "GRAPHQL_PARSE_FAILED"),
        ("{ hello { } }", None, "GRAPHQL_PARSE_FAILED"),
        ("{ unknown }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { hello }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("query Q($n: Int!) { double(number: $n) }", {"n": "x"}, "BAD_USER_INPUT"),
        ("query Q($n: Int!) { double(number: $n) }", {}, "BAD_USER_INPUT"),
        ("query A { hello } query B { hello }", None, "BAD_USER_INPUT"),
    ],
)
def test_request_error_shows_in_the_status_only_to_modern_clients(
    development: httpx.Client, query: str, variables: object, code: str
) -> None:
    """400 without data for graphql-response+json; 200 without data for application/json."""
    for accept, status in ((GRAPHQL_RESPONSE, 400), (JSON, 200)):
        response = post(development, query, variables, Accept=accept)
        assert response.status_code == status
        assert codes(response) == [code]
        assert "data" not in response.json()


def test_operation_is_chosen_by_name(development: httpx.Client) -> None:
    body = {"query": "query A { hello } query B { double }", "operationName": "B"}
    assert development.post("/graphql", json=body).json() == {"data": {"double": 2}}


def test_unknown_operation_name_is_refused(development: httpx.Client) -> None:
    body = {"query": "query A { hello }", "operationName": "Missing"}
    response = development.post("/graphql", json=body)
    assert response.status_code == 400
    assert codes(response) == ["BAD_REQUEST"]


def test_client_that_leaves_midway_is_no_fault(
    development: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    url = development.base_url
    with socket.create_connection((url.host, url.port or 80)) as connection:
        connection.sendall(
            b"POST /graphql HTTP/1.1\r\nHost: toy\r\nContent-Type: application/json\r\n"
            b'Content-Length: 100\r\n\r\n{"query"'
        )
    wait_until(lambda: any(getattr(r, "facts", {}).get("status") == 499 for r in caplog.records))
    assert not [record for record in caplog.records if record.levelname == "ERROR"]

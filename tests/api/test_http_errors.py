"""What callers see of failures: expected ones by code, faults masked and logged once."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send
from strawberry.extensions import SchemaExtension

from gateway.http.media_types import JSON
from gateway.http.request_middleware import RequestMiddleware
from gateway.http.structured_logging import JsonLineFormatter
from tests.api.toy_http import (
    FAULTY_TOKEN,
    SECRET,
    bearer,
    codes,
    create_toy_application,
    create_toy_schema,
    post,
    serve,
    wait_until,
)


def logged_faults(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "gateway.faults"]


def test_expected_failure_keeps_message_and_code(development: httpx.Client) -> None:
    response = post(development, "{ missing hello }")
    assert response.status_code == 200
    assert response.json() == {
        "data": {"missing": None, "hello": "hello world"},
        "errors": [
            {
                "message": "No such reward.",
                "locations": [{"line": 1, "column": 3}],
                "path": ["missing"],
                "extensions": {"code": "NOT_FOUND", "inputPath": ["input", "rewardId"]},
            }
        ],
    }


def test_invalid_input_lists_every_broken_rule(development: httpx.Client) -> None:
    [error] = post(development, "{ invalid }").json()["errors"]
    assert error["extensions"] == {
        "code": "INVALID_INPUT",
        "fieldErrors": [
            {
                "path": ["input", "amount"],
                "rule": "range",
                "message": "The amount must be at least 1.00.",
            }
        ],
    }


def test_overload_met_by_a_resolver_is_no_server_error(development: httpx.Client) -> None:
    response = post(development, "{ overloaded }")
    assert response.status_code == 200
    assert codes(response) == ["OVERLOADED"]


@pytest.mark.parametrize("query", ["{ fault }", "{ unencodable }", "{ child { fault } }"])
def test_fault_is_masked_and_logged_with_its_traceback(
    development: httpx.Client, caplog: pytest.LogCaptureFixture, query: str
) -> None:
    response = post(development, query, X_Request_Id="request-of-the-fault")
    assert response.status_code == 200
    assert SECRET not in response.text
    assert "Traceback" not in response.text
    [error] = response.json()["errors"]
    assert error["message"] == "Internal error"
    assert error["path"]
    assert error["extensions"] == {"code": "INTERNAL", "requestId": "request-of-the-fault"}
    [record] = logged_faults(caplog)
    assert record.exc_info
    assert SECRET in str(record.exc_info[1])


def test_many_faults_are_logged_once_with_their_count(
    development: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    response = post(development, "{ children(count: 30) { fault } }")
    assert codes(response) == ["INTERNAL"] * 30
    [record] = logged_faults(caplog)
    assert record.__dict__["facts"] == {"path": ["children", 0, "fault"], "count": 30}
    assert not [record for record in caplog.records if record.name.startswith("strawberry")]


def test_expected_failures_are_not_logged_as_faults(
    development: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    post(development, "{ missing invalid forbidden }")
    post(development, "{ unknown }")
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_argument_error_found_while_running_is_input(development: httpx.Client) -> None:
    """An explicit null for an argument that has a default passes validation, and fails later."""
    response = post(development, "query Q($n: Int) { double(number: $n) }", {"n": None})
    assert codes(response) == ["BAD_USER_INPUT"]


def test_fault_outside_of_the_operation_is_masked(
    development: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    """Even authenticating may break, for example when the database is away."""
    response = post(development, "{ hello }", Authorization=bearer(FAULTY_TOKEN))
    assert response.status_code == 500
    assert codes(response) == ["INTERNAL"]
    assert SECRET not in response.text
    request_id = response.headers["x-request-id"]
    assert response.json()["errors"][0]["extensions"]["requestId"] == request_id
    wait_until(lambda: bool(logged_faults(caplog)))
    assert len([record for record in caplog.records if record.exc_info]) == 1


def test_unknown_fields_are_suggested_in_development_only(
    development: httpx.Client, production: httpx.Client
) -> None:
    """Validation errors stay as graphql-core wrote them, also from the cache."""
    first, second = (post(development, "{ helo }").json() for _ in range(2))
    assert first == second
    message = "Cannot query field 'helo' on type 'Query'."
    assert first["errors"][0]["message"] == f"{message} Did you mean 'hello'?"
    assert post(production, "{ helo }").json()["errors"][0]["message"] == message


def test_plain_client_sees_the_same_errors(development: httpx.Client) -> None:
    response = post(development, "{ fault }", Accept=JSON)
    assert response.headers["content-type"] == JSON
    assert codes(response) == ["INTERNAL"]
    assert response.json()["data"] is None


def test_answers_beyond_the_fast_encoder_are_answered(development: httpx.Client) -> None:
    """A literal may hold an integer of any length, or nest deeper than orjson encodes."""
    huge = 10**40
    response = post(development, f"{{ echo(value: {huge}) }}")
    assert response.status_code == 200
    assert response.json() == {"data": {"echo": huge}}


async def test_masking_holds_without_http() -> None:
    result = await create_toy_schema().execute("{ fault }")
    assert result.errors
    assert [error.message for error in result.errors] == ["Internal error"]
    assert result.errors[0].extensions == {"code": "INTERNAL", "requestId": None}


def test_database_details_stay_out_of_the_log() -> None:
    """PostgreSQL names the values of a violated constraint: they may be personal data."""
    message = "duplicate key\nDETAIL:  Key (value)=(ada@example.org) already exists."
    error = RuntimeError(message)
    record = logging.LogRecord(
        "gateway.faults", logging.ERROR, "", 0, "fault", None, (RuntimeError, error, None)
    )
    line = JsonLineFormatter().format(record)
    assert "duplicate key" in line
    assert "ada@example.org" not in line


class BrokenExtension(SchemaExtension):
    """Breaks before the operation begins."""

    def on_execute(self) -> Iterator[None]:
        raise RuntimeError(SECRET)
        yield


def test_fault_before_the_operation_begins_is_masked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    schema = create_toy_schema(extensions=[BrokenExtension])
    application = create_toy_application(development=True, data_dir=tmp_path, schema=schema)
    with serve(application) as client:
        response = post(client, "{ hello }")
    assert response.status_code == 500
    assert codes(response) == ["INTERNAL"]
    assert "data" not in response.json()
    assert SECRET not in response.text
    assert len(logged_faults(caplog)) == 1


async def test_fault_after_the_answer_began_is_logged_and_cuts_it_short(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Half an answer cannot be replaced by an error; the server then drops the connection."""

    async def answer_half(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError(SECRET)

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError("nothing is read")

    scope = {"type": "http", "method": "GET", "path": "/graphql", "headers": []}
    await RequestMiddleware(answer_half)(scope, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start"]
    assert len(logged_faults(caplog)) == 1


class TracingExtension(SchemaExtension):
    """Adds something to each answer."""

    def get_results(self) -> dict[str, object]:
        return {"trace": "t-1"}


def test_extensions_of_the_schema_reach_the_answer(tmp_path: Path) -> None:
    schema = create_toy_schema(extensions=[TracingExtension])
    application = create_toy_application(development=True, data_dir=tmp_path, schema=schema)
    with serve(application) as client:
        response = post(client, "{ hello }")
    assert response.json() == {"data": {"hello": "hello world"}, "extensions": {"trace": "t-1"}}


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("query Q($v: Picky!) { pick(value: $v) }", {"v": "wrong"}, "BAD_USER_INPUT"),
        ('{ pick(value: "wrong") }', None, "GRAPHQL_VALIDATION_FAILED"),
    ],
)
def test_scalar_that_refuses_its_text_is_input(
    development: httpx.Client, query: str, variables: object, code: str
) -> None:
    """Also where it raises one of the domain's own failures."""
    response = post(development, query, variables)
    assert response.status_code == 400
    assert codes(response) == [code]
    assert "Never right." in response.json()["errors"][0]["message"]

"""Health checks, request ids, log lines and security headers."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from gateway.http import health
from gateway.http.structured_logging import JsonLineFormatter
from tests.api.toy_http import (
    CALLER,
    GOOD_TOKEN,
    Readiness,
    bearer,
    codes,
    create_toy_application,
    post,
    serve,
    wait_until,
)


def request_facts(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [
        record.__dict__["facts"] for record in caplog.records if record.name == "gateway.requests"
    ]


def test_process_is_live_whatever_its_readiness(tmp_path: Path) -> None:
    def fail() -> bool:
        raise OSError("no database")

    readiness = Readiness()
    application = create_toy_application(development=False, data_dir=tmp_path, is_ready=readiness)
    with serve(application) as client:
        for check, status in ((lambda: True, 200), (lambda: False, 503), (fail, 503)):
            readiness.check = check
            assert client.get("/health/ready").status_code == status
            assert client.get("/health/live").status_code == 200


def test_readiness_that_hangs_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Hanging(Readiness):
        async def __call__(self) -> Sequence[str]:
            await asyncio.sleep(60)
            return ()

    monkeypatch.setattr(health, "READY_TIMEOUT_SECONDS", 0.05)
    application = create_toy_application(development=False, data_dir=tmp_path, is_ready=Hanging())
    with serve(application) as client:
        response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json() == {"status": "not ready", "reasons": ["database_silent"]}


def test_offered_request_id_is_used_and_echoed(production: httpx.Client) -> None:
    response = post(production, "{ requestId }", X_Request_Id="Trace-1.2_3")
    assert response.headers["x-request-id"] == "Trace-1.2_3"
    assert response.json() == {"data": {"requestId": "Trace-1.2_3"}}


@pytest.mark.parametrize("offered", [None, "", "two words", 'quote"', "x" * 129])
def test_unusable_request_id_is_replaced(production: httpx.Client, offered: str | None) -> None:
    headers = {} if offered is None else {"X_Request_Id": offered}
    first, second = (post(production, "{ hello }", **headers) for _ in range(2))
    ids = {first.headers["x-request-id"], second.headers["x-request-id"]}
    assert len(ids) == 2
    assert offered not in ids


def test_request_is_logged_in_one_line_without_secrets(
    production: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    post(
        production,
        "query Greet($n: String!) { hello(name: $n) missing }",
        {"n": "ada@example.org"},
        Authorization=bearer(),
    )
    wait_until(lambda: bool(request_facts(caplog)))
    [facts] = request_facts(caplog)
    assert facts.pop("duration_milliseconds") >= 0
    assert facts == {
        "method": "POST",
        "path": "/graphql",
        "status": 200,
        "operation_name": "Greet",
        "organization_id": str(CALLER.organization_id),
        "partner_id": str(CALLER.partner_id),
        "credential_id": str(CALLER.credential_id),
        "error_codes": ["NOT_FOUND"],
    }
    log = "\n".join(JsonLineFormatter().format(record) for record in caplog.records)
    assert GOOD_TOKEN not in log
    assert "ada@example.org" not in log


def test_health_checks_do_not_fill_the_log(
    production: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    production.get("/health/live")
    post(production, "{ hello }")
    wait_until(lambda: bool(request_facts(caplog)))
    assert [facts["path"] for facts in request_facts(caplog)] == ["/graphql"]


def test_log_level_silences_requests(
    production: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="gateway.requests"):
        post(production, "{ hello }")
    assert request_facts(caplog) == []


def test_log_line_is_one_line_of_json() -> None:
    record = logging.LogRecord("gateway.x", logging.INFO, "", 0, "two\nlines %s", ("here",), None)
    record.facts = {"path": "/graphql"}
    line = JsonLineFormatter().format(record)
    assert "\n" not in line
    parsed = orjson.loads(line)
    assert parsed.pop("time").endswith("+00:00")
    assert parsed.pop("process") == os.getpid()
    assert parsed == {
        "level": "info",
        "logger": "gateway.x",
        "message": "two\nlines here",
        "path": "/graphql",
    }


@pytest.mark.parametrize("path", ["/graphql", "/health/live", "/nothing-here"])
def test_every_answer_has_security_headers(production: httpx.Client, path: str) -> None:
    headers = production.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


def test_answers_are_not_kept_by_caches(production: httpx.Client) -> None:
    response = post(production, "{ me }", Authorization=bearer())
    assert response.headers["cache-control"] == "no-store"
    assert json.loads(response.content)["data"]


def test_unknown_method_of_a_page_is_refused(production: httpx.Client) -> None:
    response = production.post("/health/live")
    assert response.status_code == 405
    assert codes(response) == ["METHOD_NOT_ALLOWED"]

"""GraphiQL: its page, its policy, its example tabs, and who gets demo credentials."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from graphql import parse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.types import ASGIApp

from gateway.http.graphiql_examples import EXAMPLES_DIR, load_tabs
from gateway.http.graphiql_routes import (
    CONTENT_SECURITY_POLICY,
    GRAPHIQL_DIR,
    graphiql_routes,
    is_from_this_machine,
)
from gateway.http.request_middleware import RequestMiddleware
from tests.api.toy_http import create_toy_application, serve

DEMO = {
    "partnerToken": "the-partner-token",
    "memberToken": "the-member-token",
    "memberId": "mem_1",
    "rewards": {"points": "rew_points"},
    "quoted": 'a "quoted" name',
}


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    (tmp_path / "demo.json").write_text(json.dumps(DEMO))
    return tmp_path


@pytest.fixture
def examples_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "examples"
    folder.mkdir()
    (folder / "20-second.graphql").write_text("# token: member\n# My wallet.\n{ b }\n")
    (folder / "10-first.graphql").write_text("# Grants points.\n{ a }\n")
    (folder / "10-first.variables.json").write_text(
        '{"member": "{{memberId}}", "reward": "{{rewards.points}}", "name": "{{quoted}}",'
        ' "keys": ["{{uuid}}", "{{uuid}}"], "unknown": "{{rewards.nothing}}"}'
    )
    return folder


def local_client(application: ASGIApp, address: str = "127.0.0.1") -> httpx.AsyncClient:
    """Give a client that calls the application in this process, as from an address."""
    transport = httpx.ASGITransport(application, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


@pytest.fixture
def pages(tmp_path: Path, data_dir: Path, examples_dir: Path) -> httpx.AsyncClient:
    """Give a client of GraphiQL's routes over a bundle that the test can fill."""
    routes = graphiql_routes(data_dir, bundle_dir=tmp_path / "bundle", examples_dir=examples_dir)
    return local_client(RequestMiddleware(Starlette(routes=routes)))


def test_root_leads_to_graphiql_in_development(development: httpx.Client) -> None:
    response = development.get("/")
    assert response.status_code == 307
    assert response.headers["location"] == "/graphiql"


@pytest.mark.parametrize("path", ["/", "/graphiql", "/graphiql/examples.json", "/graphiql/main.js"])
def test_production_serves_none_of_it(production: httpx.Client, path: str) -> None:
    assert production.get(path).status_code == 404


async def test_missing_bundle_says_how_to_build_it(pages: httpx.AsyncClient) -> None:
    response = await pages.get("/graphiql")
    assert response.status_code == 200
    assert "GraphiQL is not built" in response.text
    assert "build.sh" in response.text
    assert "Everything else works" in response.text
    assert (await pages.get("/graphiql/main.js")).status_code == 404


async def test_bundle_is_served_under_a_strict_policy(
    pages: httpx.AsyncClient, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "index.html").write_text("<!doctype html>the page")
    (bundle / "main.js").write_text("script")
    for path, media_type in (("/graphiql", "text/html"), ("/graphiql/main.js", "text/javascript")):
        response = await pages.get(path)
        assert response.status_code == 200
        assert response.headers["content-type"].startswith(media_type)
        assert response.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert response.headers["x-content-type-options"] == "nosniff"
    assert "script-src 'self';" in CONTENT_SECURITY_POLICY
    assert (await pages.get("/graphiql/%2e%2e/%2e%2e/application.py")).status_code == 404


def test_page_has_no_inline_script() -> None:
    """The policy would block it."""
    page = (GRAPHIQL_DIR / "source" / "index.html").read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)|\bon\w+=|javascript:", page) == []


def test_tabs_are_filled_from_the_demo(data_dir: Path, examples_dir: Path) -> None:
    first, second = load_tabs(data_dir, with_tokens=True, examples_dir=examples_dir)
    assert first["query"] == "# Grants points.\n{ a }\n"
    assert json.loads(first["headers"]) == {"Authorization": "Bearer the-partner-token"}
    variables = json.loads(first["variables"])
    keys = variables.pop("keys")
    assert variables == {
        "member": "mem_1",
        "reward": "rew_points",
        "name": 'a "quoted" name',
        "unknown": "{{rewards.nothing}}",
    }
    assert len({UUID(key) for key in keys}) == 2
    assert second["query"] == "# My wallet.\n{ b }\n"
    assert second["variables"] == ""
    assert json.loads(second["headers"]) == {"Authorization": "Bearer the-member-token"}


def test_keys_are_new_with_each_load(data_dir: Path, examples_dir: Path) -> None:
    first, second = (
        load_tabs(data_dir, with_tokens=True, examples_dir=examples_dir)[0] for _ in range(2)
    )
    assert json.loads(first["variables"])["keys"] != json.loads(second["variables"])["keys"]


@pytest.mark.parametrize("content", [None, "", "not json", "[]", '{"partnerToken": 1}'])
def test_tabs_open_without_a_demo(tmp_path: Path, examples_dir: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "demo.json").write_text(content)
    first, _ = load_tabs(tmp_path, with_tokens=True, examples_dir=examples_dir)
    assert json.loads(first["headers"]) == {"Authorization": "Bearer paste-a-token-here"}
    assert json.loads(first["variables"])["member"] == "{{memberId}}"


async def test_tokens_are_given_to_this_machine(pages: httpx.AsyncClient) -> None:
    response = await pages.get("/graphiql/examples.json")
    assert response.headers["cache-control"] == "no-store"
    assert "the-partner-token" in response.text


@pytest.mark.parametrize(
    ("client", "headers"),
    [
        (("192.0.2.7", 1), {}),
        (("testclient", 1), {}),
        (None, {}),
        (("127.0.0.1", 1), {"host": "evil.example"}),
        (("127.0.0.1", 1), {"x-forwarded-for": "192.0.2.7"}),
        (("127.0.0.1", 1), {"forwarded": "for=192.0.2.7"}),
        (("127.0.0.1", 1), {"via": "1.1 proxy"}),
    ],
)
def test_tokens_are_kept_from_anyone_else(
    client: tuple[str, int] | None, headers: dict[str, str]
) -> None:
    """Not another machine, not through a proxy, not a page whose name resolves to loopback."""
    assert not is_from_this_machine(make_request(client, headers))


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
def test_loopback_names_are_this_machine(host: str) -> None:
    assert is_from_this_machine(make_request(("127.0.0.1", 1), {"host": host}))
    assert is_from_this_machine(make_request(("::1", 1), {"host": host}))


def make_request(client: tuple[str, int] | None, headers: dict[str, str]) -> Request:
    all_headers = {"host": "localhost", **headers}
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": "/graphiql/examples.json",
        "query_string": b"",
        "client": client,
        "headers": [(name.encode(), value.encode()) for name, value in all_headers.items()],
    }
    return Request(scope)


async def test_other_machines_get_tabs_without_tokens(data_dir: Path, examples_dir: Path) -> None:
    routes = graphiql_routes(data_dir, examples_dir=examples_dir)
    client = local_client(Starlette(routes=routes), address="192.0.2.7")
    response = await client.get("/graphiql/examples.json")
    assert len(response.json()) == 2
    assert "the-partner-token" not in response.text
    assert "the-member-token" not in response.text


def test_tokens_reach_a_browser_on_loopback(data_dir: Path) -> None:
    """Through a real server, as a person at this machine sees it."""
    with serve(create_toy_application(development=True, data_dir=data_dir)) as client:
        tabs = client.get("/graphiql/examples.json").json()
        assert any("the-partner-token" in tab["headers"] for tab in tabs)


def test_shipped_examples_are_documented_and_well_formed(tmp_path: Path) -> None:
    tabs = load_tabs(tmp_path, with_tokens=False)
    assert len(tabs) == len(list(EXAMPLES_DIR.glob("*.graphql"))) > 0
    for tab in tabs:
        assert tab["query"].startswith("# ")
        [operation] = parse(tab["query"]).definitions
        assert operation.to_dict()["name"], "GraphiQL titles a tab with its operation's name"
        json.loads(tab["variables"] or "{}")


def test_build_without_node_says_so_in_one_line(tmp_path: Path) -> None:
    """Everything but GraphiQL works without Node.js, so its absence is no failure."""
    for program in ("dirname",):
        (tmp_path / program).symlink_to(str(shutil.which(program)))
    finished = subprocess.run(
        ["/bin/sh", str(GRAPHIQL_DIR / "build.sh")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0
    assert finished.stderr == ""
    assert finished.stdout.count("\n") == 1
    assert "apt-get install nodejs npm" in finished.stdout

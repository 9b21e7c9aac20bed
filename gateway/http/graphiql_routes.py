"""GraphiQL at /graphiql, served from this process under a strict content policy.

Only in development: in production there is no page, and no demo credential to hand out.
"""

from __future__ import annotations

import ipaddress
from http import HTTPStatus
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from gateway.http.graphiql_examples import EXAMPLES_DIR, load_tabs

GRAPHIQL_DIR: Final = Path(__file__).parent / "graphiql"
BUNDLE_DIR: Final = GRAPHIQL_DIR / "bundle"

# The editor writes inline styles and carries its fonts in them; scripts come from files only.
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; "
    "style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
NOT_BUILT_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>GraphiQL is not built</title>
<h1>GraphiQL is not built</h1>
<p>Everything else works: the API answers at <code>/graphql</code>.
<p>To build this page, install Node.js (Debian: <code>apt-get install nodejs npm</code>, or
nodejs.org), run <code>gateway/http/graphiql/build.sh</code> and reload.
</html>
"""
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_FORWARDING_HEADERS = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


def graphiql_routes(
    data_dir: Path, *, bundle_dir: Path = BUNDLE_DIR, examples_dir: Path = EXAMPLES_DIR
) -> list[BaseRoute]:
    """Return the page, its files, its example tabs, and the redirect from `/`."""

    async def redirect(_: Request) -> Response:
        return RedirectResponse("/graphiql", HTTPStatus.TEMPORARY_REDIRECT)

    async def answer_page(_: Request) -> Response:
        page = bundle_dir / "index.html"
        response = FileResponse(page) if page.is_file() else HTMLResponse(NOT_BUILT_PAGE)
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        return response

    async def answer_examples(request: Request) -> Response:
        with_tokens = is_from_this_machine(request)
        return JSONResponse(load_tabs(data_dir, with_tokens=with_tokens, examples_dir=examples_dir))

    return [
        Route("/", redirect),
        Route("/graphiql", answer_page),
        Route("/graphiql/examples.json", answer_examples),
        Mount("/graphiql", BundleFiles(directory=bundle_dir, check_dir=False)),
    ]


class BundleFiles(StaticFiles):
    """The built files; a browser keeps them, and asks each time whether they have changed."""

    async def check_config(self) -> None:
        """Allow the folder to be missing: the bundle may be built while the gateway runs."""

    def file_response(self, *arguments: object, **named: object) -> Response:
        """Return a file under the policy of the page, which its workers inherit."""
        response = super().file_response(*arguments, **named)  # type: ignore[arg-type]
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        response.headers["Cache-Control"] = "no-cache"
        return response


def is_from_this_machine(request: Request) -> bool:
    """Tell whether demo credentials may be shown: nobody but this machine's own user asks.

    The peer must be loopback and no proxy in between. The Host must be a loopback name too: a
    foreign page that has its own name resolve to 127.0.0.1 (DNS rebinding) would pass the rest.
    """
    if any(name in request.headers for name in _FORWARDING_HEADERS) or request.client is None:
        return False
    try:
        is_loopback = ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
    return is_loopback and request.url.hostname in _LOOPBACK_NAMES

"""The Starlette application, assembled from its parts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from gateway.allowance import Allowance
from gateway.http.admission.admission import Admission
from gateway.http.admission.slow_refusals import SlowRefusals
from gateway.http.credentials import Authenticate
from gateway.http.deadlines import Deadlines
from gateway.http.graphiql_routes import graphiql_routes
from gateway.http.graphql_endpoint import GraphQLEndpoint, MakeContext
from gateway.http.graphql_schema import GatewaySchema
from gateway.http.health import FindReasons, health_routes
from gateway.http.refusals import answer_http_exception
from gateway.http.request_middleware import RequestMiddleware
from gateway.http.trusted_documents import TrustedDocuments

Lifespan: TypeAlias = Callable[[Starlette], AbstractAsyncContextManager[None]]


class HttpSettings(Protocol):
    """What of the gateway's settings concerns HTTP."""

    @property
    def development(self) -> bool:
        """Serve GraphiQL, queries over GET, and introspection to anyone."""

    @property
    def data_dir(self) -> Path:
        """Where the demo data is."""

    @property
    def body_bytes_max(self) -> int:
        """The largest request body taken."""

    @property
    def request_timeout_seconds(self) -> float:
        """How long one request may take."""

    @property
    def allowance(self) -> Allowance:
        """What each caller may ask for."""

    @property
    def trusted_documents(self) -> Path | None:
        """The manifest of trusted documents."""

    @property
    def trusted_documents_only(self) -> bool:
        """Run no other documents."""


def create_http_application(
    *,
    schema: GatewaySchema,
    settings: HttpSettings,
    authenticate: Authenticate,
    make_context: MakeContext,
    find_reasons: FindReasons,
    lifespan: Lifespan | None = None,
) -> ASGIApp:
    """Assemble the application; it opens nothing by itself: that is `lifespan`'s to do.

    Args:
        schema: limits operations, masks faults, and keeps the trusted documents.
        settings: the HTTP part of the settings.
        authenticate: bearer token to caller; raises `Unauthenticated`.
        make_context: caller or None, and the request id, to what resolvers get as context.
        find_reasons: why the gateway cannot serve now; no reasons if it can.
        lifespan: what to open before the first request and close after the last.

    Raises:
        InvalidManifest: the trusted documents cannot be read, or the schema refuses one.
    """
    trusted = TrustedDocuments.read(
        settings.trusted_documents, is_exclusive=settings.trusted_documents_only
    )
    schema.trust(trusted)
    endpoint = GraphQLEndpoint(
        schema,
        admission=Admission(settings.allowance),
        authenticate=authenticate,
        make_context=make_context,
        development=settings.development,
        body_bytes_max=settings.body_bytes_max,
        trusted=trusted,
    )
    routes: list[BaseRoute] = [*health_routes(find_reasons)]
    if settings.development:
        routes += graphiql_routes(settings.data_dir)
    exception_handlers: dict[Any, Any] = {HTTPException: answer_http_exception}
    pages = Starlette(routes=routes, exception_handlers=exception_handlers, lifespan=lifespan)
    timed = SlowRefusals(Deadlines(endpoint, settings.request_timeout_seconds))
    return RequestMiddleware(pages, {"/graphql": timed, "/graphql/": timed})

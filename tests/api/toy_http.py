"""A toy schema behind the real HTTP application, so that its tests need no domain and no database."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NewType
from uuid import UUID

import httpx
import strawberry
from starlette.types import ASGIApp
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig

from gateway.access import PARTNER_SCOPES, Caller, Scope, StandardAssets
from gateway.allowance import Allowance
from gateway.errors import (
    FieldError,
    Forbidden,
    InvalidInput,
    NotFound,
    Overloaded,
    Unauthenticated,
)
from gateway.http.application import create_http_application
from gateway.http.graphql_schema import GatewaySchema
from gateway.http.server import bind_socket, make_server
from gateway.settings import Settings

GOOD_TOKEN = "good-token"
FAULTY_TOKEN = "token-that-breaks-the-store"
BUSY_TOKEN = "token-while-overloaded"
SECRET = "SELECT secret FROM vault"
BODY_BYTES_MAX = 64 * 1024
# Nothing here is about how often somebody asks, unless a test says so.
WIDE = Allowance(cost_burst=1_000_000_000, anonymous_requests_burst=1_000_000)
STOP_TIMEOUT_SECONDS = 10
WAIT_SECONDS = 5.0

CALLER = Caller(
    UUID(int=1),
    UUID(int=2),
    UUID(int=3),
    PARTNER_SCOPES,
    StandardAssets(UUID(int=4), UUID(int=5), UUID(int=6)),
    credential_id=UUID(int=7),
)
FIELD_ERROR = FieldError(("input", "amount"), "range", "The amount must be at least 1.00.")


@dataclass(frozen=True, slots=True)
class ToyContext:
    """What toy resolvers see."""

    caller: Caller | None
    request_id: str

    @property
    def scopes(self) -> frozenset[Scope] | None:
        """Return what the caller may do."""
        return self.caller.scopes if self.caller else None


Picky = NewType("Picky", str)


def refuse(_: object) -> Picky:
    """Take no value, as a scalar that checks its text with the domain's own rules would."""
    raise NotFound("Never right.")


Info = strawberry.Info[ToyContext, None]


@strawberry.type
class Child:
    """A type that holds itself, for depth."""

    name: str = "child"

    @strawberry.field
    def child(self) -> Child:
        return Child()

    @strawberry.field
    def fault(self) -> str | None:
        raise RuntimeError(SECRET)


@strawberry.type
class Query:
    """One field for each way a field can end."""

    @strawberry.field
    def hello(self, name: str = "world") -> str:
        return f"hello {name}"

    @strawberry.field
    def double(self, number: int = 1) -> int:
        return 2 * number

    @strawberry.field
    def echo(self, value: JSON) -> JSON:
        return value

    @strawberry.field
    def pick(self, value: Picky) -> str:
        return value

    @strawberry.field
    def child(self) -> Child:
        return Child()

    @strawberry.field
    def children(self, count: int) -> list[Child]:
        return [Child() for _ in range(count)]

    @strawberry.field
    def request_id(self, info: Info) -> str:
        return info.context.request_id

    @strawberry.field
    def me(self, info: Info) -> str:
        if info.context.caller is None:
            raise Unauthenticated("This needs a credential.")
        return str(info.context.caller.partner_id)

    @strawberry.field
    def forbidden(self) -> str | None:
        raise Forbidden("This credential lacks the scope: grant.")

    @strawberry.field
    def missing(self) -> str | None:
        raise NotFound("No such reward.", ("input", "rewardId"))

    @strawberry.field
    def invalid(self) -> str | None:
        raise InvalidInput([FIELD_ERROR])

    @strawberry.field
    def overloaded(self) -> str | None:
        raise Overloaded("Too busy: try again.")

    @strawberry.field
    def fault(self) -> str:
        raise RuntimeError(SECRET)

    @strawberry.field
    def unencodable(self) -> int:
        return SECRET  # type: ignore[return-value]  # a resolver that breaks its own type


@strawberry.type
class Mutation:
    """One effect."""

    @strawberry.mutation
    def act(self) -> str:
        return "acted"


async def authenticate(token: str) -> Caller:
    """Know one token, and break or refuse for others."""
    if token == FAULTY_TOKEN:
        raise RuntimeError(SECRET)
    if token == BUSY_TOKEN:
        raise Overloaded("Too busy: try again.")
    if token != GOOD_TOKEN:
        raise Unauthenticated("The credential is unknown, expired or revoked.")
    return CALLER


@dataclass
class Readiness:
    """A switch for what `/health/ready` finds."""

    check: Callable[[], bool] = lambda: True

    async def __call__(self) -> Sequence[str]:
        """Answer, or fail, as switched."""
        return () if self.check() else ("switched_off",)


def create_toy_schema(**options: Any) -> GatewaySchema:
    """Make a fresh schema, with empty caches."""
    scalars: Any = {Picky: strawberry.scalar(name="Picky", parse_value=refuse)}
    return GatewaySchema(Query, Mutation, config=StrawberryConfig(scalar_map=scalars), **options)


def create_toy_application(
    *,
    development: bool,
    data_dir: Path,
    is_ready: Readiness | None = None,
    schema: GatewaySchema | None = None,
    settings: Settings | None = None,
) -> ASGIApp:
    """Make the application around the toy schema."""
    return create_http_application(
        schema=schema or create_toy_schema(suggests=development),
        settings=replace(
            settings or Settings(allowance=WIDE),
            development=development,
            data_dir=data_dir,
            body_bytes_max=BODY_BYTES_MAX,
        ),
        authenticate=authenticate,
        make_context=ToyContext,
        find_reasons=is_ready or Readiness(),
    )


@contextlib.contextmanager
def serve(application: ASGIApp) -> Iterator[httpx.Client]:
    """Run a real server on a free loopback port, and give a client of it that sends the good token unless told otherwise."""
    listener = bind_socket("127.0.0.1", 0)
    port = listener.getsockname()[1]
    server = make_server(application)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        wait_until(lambda: server.started)
        # A proxy of the environment must not come between.
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"Authorization": bearer(GOOD_TOKEN)},
            trust_env=False,
        ) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(STOP_TIMEOUT_SECONDS)
        assert not thread.is_alive()


@contextlib.asynccontextmanager
async def started(application: ASGIApp) -> AsyncIterator[None]:
    """Run an application's lifespan around the block, as a server does."""
    to_application: asyncio.Queue[Any] = asyncio.Queue()
    from_application: asyncio.Queue[Any] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}}
    running = asyncio.ensure_future(application(scope, to_application.get, from_application.put))
    await to_application.put({"type": "lifespan.startup"})
    assert (await from_application.get())["type"] == "lifespan.startup.complete"
    yield
    await to_application.put({"type": "lifespan.shutdown"})
    assert (await from_application.get())["type"] == "lifespan.shutdown.complete"
    await running


def wait_until(is_true: Callable[[], bool], seconds: float = WAIT_SECONDS) -> None:
    """Wait for something that another thread or process is about to do."""
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.005)


def post(
    client: httpx.Client,
    query: str,
    variables: object = None,
    *,
    operation_name: str | None = None,
    **headers: str,
) -> httpx.Response:
    """Send one operation as a modern client does; header names take underscores."""
    return client.post(
        "/graphql",
        json={"query": query, "variables": variables, "operationName": operation_name},
        headers={
            "Accept": "application/graphql-response+json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
    )


def post_anonymously(client: httpx.Client, query: str, **headers: str) -> httpx.Response:
    """Send one operation without a credential to the server of a client."""
    with httpx.Client(base_url=client.base_url, trust_env=False) as anonymous:
        return post(anonymous, query, **headers)


def codes(response: httpx.Response) -> list[str]:
    """Return the code of each error, in order."""
    return [error["extensions"]["code"] for error in response.json()["errors"]]


def bearer(token: str = GOOD_TOKEN) -> str:
    """Return an Authorization header."""
    return f"Bearer {token}"

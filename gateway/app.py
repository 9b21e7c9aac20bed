"""The composition root: the schema, the database and HTTP, put together. Nothing else imports all three."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.types import ASGIApp

from gateway.access import Caller
from gateway.background import in_background
from gateway.chain.extending import open_extender
from gateway.expiring.jobs import expire_everywhere
from gateway.granting.groups import GrantGroups
from gateway.http.admission.weighing import Weights
from gateway.http.application import create_http_application
from gateway.http.graphql_schema import GatewaySchema
from gateway.issuing.groups import IssuanceGroups
from gateway.keys.model import Keys
from gateway.keys.opening import load_keys
from gateway.operations.places import Places
from gateway.purchasing.opening import open_purchaser
from gateway.purchasing.purchaser import Purchaser
from gateway.sealing.starting import find_missing_keys
from gateway.settings import Settings
from gateway.signing_in.opening import open_issuers
from gateway.signing_in.recognition import SignedRecognition
from gateway.storage.database import Database
from gateway.storage.readiness import Readiness
from gateway.tenants.last_use import LastUse
from gateway.tenants.recognition import Recognition
from gateway.tenants.tokens import PREFIX
from resolvers.context import Context
from resolvers.schema import build_schema
from resolvers.weights import FIELD_COSTS, LIST_SIZES

# How long a request waits for a connection before it is told that the gateway is busy.
ACQUIRE_TIMEOUT_SECONDS = 10.0
# Orders at vendors, also those that a caller waits for, and what ends by itself: short statements all.
JOBS_CONNECTIONS = 3
WATCH_CONNECTIONS = 1
WATCH_TIMEOUT_SECONDS = 2.0
# Of each process, beside those of its pool.
CONNECTIONS_BESIDE_POOL = JOBS_CONNECTIONS + WATCH_CONNECTIONS


class _Opened:
    """Holds what is open from the lifespan's start to its end: it needs the running event loop."""

    database: Database
    jobs_database: Database
    watch_database: Database
    readiness: Readiness
    purchaser: Purchaser
    grant_groups: GrantGroups
    issuance_groups: IssuanceGroups
    recognition: Recognition
    signed_recognition: SignedRecognition

    def recognize(self, token: str) -> Awaitable[Caller]:
        """Return who holds a token: one of ours, or one that an organization's issuer has signed."""
        if token.startswith(PREFIX):
            return self.recognition.recognize(token)
        return self.signed_recognition.recognize(token)

    def make_context(self, caller: Caller | None, request_id: str) -> Context:
        """Return what the resolvers of one request work with."""
        database = self.database
        return Context(
            database if caller is None else database.on_behalf_of(caller.tenant_id),
            caller,
            request_id,
            self.grant_groups,
            self.purchaser,
            self.issuance_groups,
        )

    def find_reasons(self) -> Awaitable[Sequence[str]]:
        """Return why nothing can be served; nothing if it can."""
        return self.readiness.find_reasons()


def create_application(
    settings: Settings, database_url: str, *, runs_jobs: Callable[[], bool] = lambda: True
) -> ASGIApp:
    """Assemble the application; its lifespan opens the pools of connections as the application's role and closes them.

    While it is open, jobs go on with what earlier requests have left undone, unless `runs_jobs` says no when it opens: of
    several processes that serve together, one runs them. Nothing is opened before, so that a process may fork in between.
    """
    opened = _Opened()
    keys = load_keys(settings)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await _open_databases(opened, settings, database_url, keys)
        async with _work(opened, settings, keys, runs_jobs=runs_jobs):
            yield

    return create_http_application(
        schema=build_schema(
            GatewaySchema,
            suggests=settings.development,
            weights=Weights(FIELD_COSTS, LIST_SIZES),
        ),
        settings=settings,
        authenticate=opened.recognize,
        make_context=opened.make_context,
        find_reasons=opened.find_reasons,
        lifespan=lifespan,
    )


async def _open_databases(
    opened: _Opened, settings: Settings, database_url: str, keys: Keys
) -> None:
    """Open three pools, none of which waits for the connections of another: to serve, for jobs, and to tell whether all is well.

    Whoever starts a gateway has tried to connect; one that is started again while the database is away waits for it, not ready.
    """
    opened.database = await Database.open(
        database_url,
        connects_first=False,
        pool_size_max=settings.database_pool_size_max,
        lock_timeout_seconds=settings.lock_timeout_seconds,
        read_timeout_seconds=settings.read_timeout_seconds,
        acquire_timeout_seconds=ACQUIRE_TIMEOUT_SECONDS,
        keys=keys,
    )
    opened.jobs_database = await Database.open(
        database_url,
        connects_first=False,
        pool_size_max=JOBS_CONNECTIONS,
        lock_timeout_seconds=settings.lock_timeout_seconds,
        keys=keys,
    )
    opened.watch_database = await Database.open(
        database_url,
        connects_first=False,
        pool_size_max=WATCH_CONNECTIONS,
        read_timeout_seconds=WATCH_TIMEOUT_SECONDS,
        acquire_timeout_seconds=WATCH_TIMEOUT_SECONDS,
    )


@asynccontextmanager
async def _work(
    opened: _Opened, settings: Settings, keys: Keys, *, runs_jobs: Callable[[], bool]
) -> AsyncIterator[None]:
    """Let requests and jobs use the open databases while the block lasts, and then close these."""
    opened.readiness = Readiness(opened.watch_database, [partial(_check_keys, keys)])
    # Shared, so that a tenant has as many places as any other, whatever it asks for.
    places = Places()
    opened.grant_groups = GrantGroups(opened.database, places)
    opened.issuance_groups = IssuanceGroups(opened.database, places)
    last_use = LastUse(opened.jobs_database)
    # In turn with the tenants: a flood of tokens that nobody holds keeps none of them waiting.
    credentials_database = opened.database.on_behalf_of("credentials")
    opened.recognition = Recognition(credentials_database, last_use)
    async with AsyncExitStack() as stack:
        for database in (opened.watch_database, opened.jobs_database, opened.database):
            stack.push_async_callback(database.close)
        stack.push_async_callback(last_use.close)
        issuers = await stack.enter_async_context(open_issuers(settings, opened.jobs_database))
        opened.signed_recognition = SignedRecognition(credentials_database, issuers)
        # Of every process, since every process recognizes callers.
        jobs = [last_use.write_due, issuers.refresh, issuers.fetch_due]
        await stack.enter_async_context(in_background(jobs))
        opened.purchaser = await stack.enter_async_context(
            open_purchaser(settings, opened.jobs_database)
        )
        if runs_jobs():
            extender = open_extender(settings, opened.jobs_database, keys)
            expire = partial(expire_everywhere, opened.jobs_database)
            await stack.enter_async_context(
                in_background([opened.purchaser.run_due, expire, extender.extend_due])
            )
        yield


async def _check_keys(keys: Keys, database: Database) -> str | None:
    return "missing_keys" if await find_missing_keys(database, keys) else None

"""The `gateway` command."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated, TypeVar
from uuid import UUID

import typer

from gateway.access import PARTNER_SCOPES, Scope
from gateway.errors import InvalidInput, RewardsError
from gateway.http.server import AddressUnavailable
from gateway.http.trusted_documents import InvalidManifest
from gateway.ids import IdKind, decode_id, encode_id
from gateway.sealing.starting import KeysMissing
from gateway.settings import WORKERS_MAX, InvalidSetting, Settings
from gateway.storage.addresses import DatabaseUnavailable, migrate_or_explain, open_addresses
from gateway.storage.database import Database
from gateway.storage.embedded_programs import EmbeddedServerFailed
from gateway.supervising import WorkersFailed
from gateway.tenants.credentials import create_member_token, create_partner_token, revoke_token
from gateway.tenants.credentials_store import fetch_credentials
from gateway.tenants.founding import create_organization, create_tenant
from gateway.verifying.report import report
from gateway.verifying.verify import verify as find_broken_invariants

Result = TypeVar("Result")

EXPECTED_FAILURES = (
    AddressUnavailable,
    DatabaseUnavailable,
    EmbeddedServerFailed,
    InvalidManifest,
    InvalidSetting,
    KeysMissing,
    RewardsError,
    WorkersFailed,
)

application = typer.Typer(
    help="One GraphQL API for granting, issuing and distributing rewards.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
tenant_application = typer.Typer(help="Tenants and their organizations.", no_args_is_help=True)
token_application = typer.Typer(help="Tokens of partners and members.", no_args_is_help=True)
application.add_typer(tenant_application, name="tenant")
application.add_typer(token_application, name="token")

TenantOption = Annotated[UUID, typer.Option("--tenant", help="The tenant's id.")]
OrganizationOption = Annotated[str, typer.Option("--organization", help="The organization: org_….")]


def main() -> None:
    """Run the command; an expected failure is one line on standard error and exit code 1."""
    try:
        application()
    except InvalidInput as error:
        _fail("; ".join(broken.message for broken in error.errors))
    except EXPECTED_FAILURES as error:
        _fail(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


@application.command()
def serve(
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=WORKERS_MAX,
            help="How many processes serve; the setting WORKERS if left out.",
        ),
    ] = None,
) -> None:
    """Serve the API; settings come from the environment."""
    # What imports make is no garbage, and looking for some takes a tenth of a start.
    gc.disable()
    # Imported here, so that the other commands do not wait for the schema to be built.
    from gateway.serving import serve as run  # noqa: PLC0415

    gc.enable()
    settings = Settings.from_environment()
    run(settings if workers is None else replace(settings, workers=workers))


@application.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    with open_addresses(Settings.from_environment()) as addresses:
        asyncio.run(migrate_or_explain(addresses))
    _say("The database is up to date.")


@application.command()
def worker() -> None:
    """Go on with what requests have left undone, such as orders at vendors; `serve` does it too."""
    # Imported here, so that the other commands do not wait for it.
    from gateway.working import work  # noqa: PLC0415

    work(Settings.from_environment())


@application.command()
def verify(
    tenant: Annotated[
        UUID | None, typer.Option("--tenant", help="One tenant's id; all tenants if left out.")
    ] = None,
) -> None:
    """Check every invariant of the ledger; exit with 1 and the offending rows if one is broken."""

    async def work(database: Database) -> bool:
        findings = await find_broken_invariants(database, tenant)
        for line in report(findings):
            _say(line)
        return not findings

    if not _with_database(work):
        sys.exit(1)


@tenant_application.command("create")
def tenant_create(
    name: Annotated[str, typer.Argument(help="The tenant's name.")],
    organization: Annotated[str, typer.Option(help="The name of its first organization.")],
) -> None:
    """Found a tenant with points, experience points, US dollars and one organization."""

    async def work(database: Database) -> None:
        founded = await create_tenant(database, name, organization)
        assets = founded.tenant.standard_assets
        _say(f"tenant:       {founded.tenant.id}")
        _say(f"organization: {encode_id(IdKind.ORGANIZATION, founded.organization.id)}")
        _say(f"points:       {assets.points_id}")
        _say(f"experience:   {assets.experience_id}")
        _say(f"cash:         {assets.cash_id}")

    _with_database(work, may_create=True)


@tenant_application.command("add-organization")
def tenant_add_organization(
    tenant: TenantOption,
    name: Annotated[str, typer.Argument(help="The organization's name.")],
    parent: Annotated[
        str | None, typer.Option(help="The organization it is a child of: org_….")
    ] = None,
) -> None:
    """Add an organization to a tenant."""

    async def work(database: Database) -> None:
        parent_id = _read_id(IdKind.ORGANIZATION, parent, "--parent") if parent else None
        organization = await create_organization(database, tenant, name, parent_id)
        _say(f"organization: {encode_id(IdKind.ORGANIZATION, organization.id)}")

    _with_database(work)


@token_application.command("create")
def token_create(
    tenant: TenantOption,
    organization: OrganizationOption,
    label: Annotated[str, typer.Option(help="What the token is for.")],
    scope: Annotated[
        list[Scope] | None, typer.Option(help="What it may do; repeat it. Everything if left out.")
    ] = None,
    member: Annotated[
        str | None, typer.Option(help="Make a member's own token instead: mem_….")
    ] = None,
    partner: Annotated[
        UUID | None,
        typer.Option(
            help="Idempotency keys are counted per partner: name one to keep its keys apart from "
            "those of the organization's other tokens, and again when its token is replaced."
        ),
    ] = None,
    reach: Annotated[
        list[str] | None,
        typer.Option(help="Another organization for which it may act: org_…; repeat it."),
    ] = None,
) -> None:
    """Make a token and show it, this once: only a hash of it is kept."""

    async def work(database: Database) -> None:
        organization_id = _read_id(IdKind.ORGANIZATION, organization, "--organization")
        if member is not None:
            member_id = _read_id(IdKind.MEMBER, member, "--member")
            created = await create_member_token(
                database, tenant, organization_id, member_id, label=label
            )
        else:
            created = await create_partner_token(
                database,
                tenant,
                organization_id,
                label,
                scope or PARTNER_SCOPES,
                partner_id=partner,
                reach=[_read_id(IdKind.ORGANIZATION, one, "--reach") for one in reach or ()],
            )
        _say(f"credential: {created.credential.id}")
        _say(f"token:      {created.text}")

    _with_database(work)


@token_application.command("list")
def token_list(tenant: TenantOption) -> None:
    """Show a tenant's credentials, without their secrets."""

    async def work(database: Database) -> None:
        async with database.connection() as connection:
            credentials = await fetch_credentials(connection, tenant)
        for credential in credentials:
            state = "revoked" if credential.revoked_at else "active"
            scopes = ",".join(sorted(credential.scopes))
            _say(f"{credential.id}  {state:8}  {credential.label}  {scopes}")

    _with_database(work)


@token_application.command("revoke")
def token_revoke(
    tenant: TenantOption,
    credential: Annotated[UUID, typer.Argument(help="The credential's id, as `create` showed it.")],
) -> None:
    """End a token for ever; running gateways refuse it within a second."""

    async def work(database: Database) -> None:
        await revoke_token(database, tenant, credential)
        _say("The token is revoked.")

    _with_database(work)


def _with_database(
    work: Callable[[Database], Awaitable[Result]], *, may_create: bool = False
) -> Result:
    """Run `work` on the migrated database, which must be there unless `may_create`."""

    async def run(application_url: str) -> Result:
        database = await Database.open(application_url, pool_size_max=2)
        try:
            return await work(database)
        finally:
            await database.close()

    with open_addresses(Settings.from_environment(), may_create=may_create) as addresses:
        asyncio.run(migrate_or_explain(addresses))
        return asyncio.run(run(addresses.application_url))


def _read_id(kind: IdKind, text: str, option: str) -> UUID:
    value = decode_id(kind, text)
    if value is None:
        raise typer.BadParameter(f"must look like {kind.value}….", param_hint=option)
    return value


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _fail(message: str) -> None:
    sys.stderr.write(f"gateway: {message}\n")
    sys.exit(1)

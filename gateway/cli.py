"""The `gateway` command."""

from __future__ import annotations

import asyncio
import gc
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from gateway.commands.chain import receipt_application, verify_chain
from gateway.commands.issuers import issuer_application
from gateway.commands.keys import keys_application
from gateway.commands.shared import TenantOption, read_id, say, with_database
from gateway.commands.tokens import token_application
from gateway.errors import InvalidInput, RewardsError
from gateway.http.server import AddressUnavailable
from gateway.http.trusted_documents import InvalidManifest
from gateway.ids import IdKind, encode_id
from gateway.keys.model import CannotOpen
from gateway.sealing.starting import KeysMissing
from gateway.settings import WORKERS_MAX, InvalidSetting, Settings
from gateway.storage.addresses import DatabaseUnavailable, migrate_or_explain, open_addresses
from gateway.storage.database import Database, OperatorNeeded
from gateway.storage.embedded_programs import EmbeddedServerFailed
from gateway.supervising import WorkersFailed
from gateway.tenants.founding import create_organization, create_tenant
from gateway.verifying.report import report
from gateway.verifying.verify import verify as find_broken_invariants

EXPECTED_FAILURES = (
    AddressUnavailable,
    CannotOpen,
    DatabaseUnavailable,
    EmbeddedServerFailed,
    InvalidManifest,
    InvalidSetting,
    KeysMissing,
    OperatorNeeded,
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
application.add_typer(tenant_application, name="tenant")
application.add_typer(token_application, name="token")
application.add_typer(keys_application, name="keys")
application.add_typer(issuer_application, name="issuer")
application.add_typer(receipt_application, name="receipt")


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
    say("The database is up to date.")


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
    chain: Annotated[
        bool,
        typer.Option("--chain", help="Check the keyed chain instead, with the gateway's keys."),
    ] = False,
    heads: Annotated[
        Path | None, typer.Option("--heads", help="With --chain: a file of published heads.")
    ] = None,
) -> None:
    """Check every invariant of the ledger; exit with 1 and the offending rows if one is broken."""
    if heads is not None and not chain:
        raise typer.BadParameter("is for --chain.", param_hint="--heads")
    if chain:
        sys.exit(0 if verify_chain(tenant, heads) else 1)

    async def work(database: Database) -> bool:
        findings = await find_broken_invariants(database, tenant)
        for line in report(findings):
            say(line)
        return not findings

    if not with_database(work):
        sys.exit(1)


@tenant_application.command("create")
def tenant_create(
    name: Annotated[str, typer.Argument(help="The tenant's name.")],
    organization: Annotated[str, typer.Option(help="The name of its first organization.")],
    test: Annotated[
        bool, typer.Option("--test", help="It is for tests: its tokens begin with rgw_test_.")
    ] = False,
) -> None:
    """Found a tenant with points, experience points, US dollars and one organization."""

    async def work(database: Database) -> None:
        founded = await create_tenant(database, name, organization, is_test=test)
        assets = founded.tenant.standard_assets
        say(f"tenant:       {founded.tenant.id}")
        say(f"organization: {encode_id(IdKind.ORGANIZATION, founded.organization.id)}")
        say(f"points:       {assets.points_id}")
        say(f"experience:   {assets.experience_id}")
        say(f"cash:         {assets.cash_id}")

    with_database(work, may_create=True)


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
        parent_id = read_id(IdKind.ORGANIZATION, parent, "--parent") if parent else None
        organization = await create_organization(database, tenant, name, parent_id)
        say(f"organization: {encode_id(IdKind.ORGANIZATION, organization.id)}")

    with_database(work)


def _fail(message: str) -> None:
    sys.stderr.write(f"gateway: {message}\n")
    sys.exit(1)

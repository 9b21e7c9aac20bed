"""Commands about the chain: verify it, prove a grant by it, and check such a proof."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import orjson
import typer

from gateway.chain.heads import Published, UnreadableHead, read_heads
from gateway.chain.receipts import InvalidReceipt, check_receipt, make_receipt, public_keys
from gateway.chain.verifying import TenantChain, verify_chains
from gateway.commands.shared import TenantOption, read_id, say, with_database
from gateway.ids import IdKind
from gateway.keys.opening import load_keys
from gateway.settings import Settings
from gateway.storage.database import Database

receipt_application = typer.Typer(help="Receipts: proofs of grants.", no_args_is_help=True)

_PUBLIC_KEY = re.compile(r"[0-9a-fA-F]{64}")


def verify_chain(tenant: UUID | None, heads: Path | None) -> bool:
    """Say what holds of each tenant's chain, and tell whether everything does."""
    published = _read_heads(heads) if heads else None
    keys = load_keys(Settings.from_environment())

    async def work(database: Database) -> list[TenantChain]:
        return await verify_chains(database, keys, tenant, published)

    chains = with_database(work)
    for chain in chains:
        for line in _report(chain):
            say(line)
    if published is not None and published.unreadable_lines:
        numbers = ", ".join(map(str, published.unreadable_lines))
        say(f"No heads, cut off while they were written or changed: lines {numbers} of {heads}.")
    if published is None:
        say("Without --heads nothing tells whether the newest blocks were cut off.")
    return not any(chain.problems for chain in chains)


def _report(chain: TenantChain) -> list[str]:
    word = "BROKEN" if chain.problems else "holds "
    until = f", up to {chain.last.header.made_at.isoformat()}" if chain.last else ""
    first = (
        f"{word}  chain of tenant {chain.tenant_id}: {chain.block_count} blocks, {chain.fact_count} facts{until}; "
        f"{chain.waiting_count} rows wait"
    )
    rows = [f"        {orjson.dumps(problem.to_json()).decode()}" for problem in chain.problems]
    return [first, *rows]


def _read_heads(path: Path) -> Published:
    try:
        return read_heads(path)
    except (UnreadableHead, OSError) as error:
        raise typer.BadParameter(str(error), param_hint="--heads") from error


@receipt_application.command("grant")
def receipt_grant(
    grant: Annotated[str, typer.Argument(help="The grant's id: XT_….")], tenant: TenantOption
) -> None:
    """Print a receipt of a grant: what the chain says of it, provable with the public key alone."""
    grant_id = read_id(IdKind.GRANT, grant, "GRANT")

    async def work(database: Database) -> dict[str, Any]:
        return await make_receipt(database, tenant, grant_id)

    say(orjson.dumps(with_database(work), option=orjson.OPT_INDENT_2).decode())


@receipt_application.command("check")
def receipt_check(
    file: Annotated[Path, typer.Argument(help="The receipt.", exists=True, dir_okay=False)],
    key: Annotated[
        str, typer.Option("--key", help="The public key, as `gateway receipt key` shows it.")
    ],
    heads: Annotated[
        Path | None, typer.Option("--heads", help="A file of published heads that has its block.")
    ] = None,
) -> None:
    """Check a receipt, without a database: exit with 1 if it proves nothing."""
    if _PUBLIC_KEY.fullmatch(key) is None:
        raise typer.BadParameter("must be 64 hexadecimal digits.", param_hint="--key")
    try:
        receipt = orjson.loads(file.read_bytes())
        proven = check_receipt(receipt, bytes.fromhex(key))
    except (InvalidReceipt, orjson.JSONDecodeError) as error:
        say(f"INVALID  {error}")
        sys.exit(1)
    header = proven.head.header
    if heads is not None:
        published = _read_heads(heads).heads.get(header.tenant_id, {}).get(header.number, [])
        if published != [proven.head]:
            say(f"INVALID  Block {header.number} was not published so.")
            sys.exit(1)
    say(
        f"valid    block {header.number} of tenant {header.tenant_id}, made at {header.made_at.isoformat()}"
    )
    for fact in proven.facts:
        say(f"         {orjson.dumps(fact).decode()}")


@receipt_application.command("key")
def receipt_key() -> None:
    """Show the public keys that receipts and heads are checked with, the current one first."""
    for key_id, public_key in public_keys(load_keys(Settings.from_environment())).items():
        say(f"{public_key.hex()}  of key {key_id}")

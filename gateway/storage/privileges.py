"""What each role may do with each table, on one page; a role may do nothing else.

Whoever adds a table or changes a column that was never changed before adds it here. Every run of migrations takes all
privileges away and grants these; a test compares them with the database and fails for a table without an entry. A change of
this page alone needs a migration as well, if only an empty one, or databases that are current would not hear of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

# Serves and does background jobs.
APPLICATION_ROLE = "rewards_gateway"
# Founds tenants, makes or ends credentials, trusts issuers: the command line alone takes it (docs/decisions/0068-privileges.md).
OPERATOR_ROLE = "rewards_gateway_operator"


class Access(NamedTuple):
    """What a role may do with a table beside reading it; `update` names columns, separated by blanks."""

    insert: bool = False
    update: str = ""
    delete: bool = False


READ = Access()
# Facts: added, never changed.
ADD = Access(insert=True)


def changing(columns: str) -> Access:
    """Return access that adds rows and changes these columns."""
    return Access(insert=True, update=columns)


def locked(access: Access) -> Access:
    """Return access that may lock rows too: PostgreSQL asks for UPDATE of any one column, and this one says the least."""
    return access._replace(update="created_at")


def deleting(access: Access) -> Access:
    """Return access that deletes rows too."""
    return access._replace(delete=True)


APPLICATION: Mapping[str, Access] = {
    # Which migrations have run: the owner writes it.
    "migration": READ,
    # Tenants and credentials. Of credentials only members' own are made at run time, and deleted a month after their end: policies
    # refuse the others.
    "tenants": READ,
    "organizations": Access(update="created_at"),
    "credentials": deleting(changing("last_used_at")),
    "credential_limits": Access(update="used_minor day"),
    "issuers": READ,
    "secret_keys": ADD,
    # The ledger.
    "assets": ADD,
    "asset_issuers": deleting(ADD),
    "accounts": changing("posted_minor held_minor entry_count chain_hash debt_minor updated_at"),
    "ledger_transactions": ADD,
    "ledger_entries": ADD,
    "holds": changing("status ended_at"),
    "lots": changing("remaining_minor"),
    "outbox_events": ADD,
    # Idempotency. Keys are freed by the function `release_keys`, and only by the database transaction that claimed them.
    "operations": changing("answer fenced_at"),
    # Members.
    "members": changing("display_name"),
    "member_identifiers": ADD,
    "member_cards": deleting(changing("status")),
    "member_labels": deleting(changing("status")),
    "groups": locked(ADD),
    "group_members": deleting(ADD),
    "segments": locked(ADD),
    "segment_members": deleting(ADD),
    # The catalog.
    "products": ADD,
    "competitions": ADD,
    "code_pools": ADD,
    "code_imports": ADD,
    "codes": changing("status grant_id"),
    "rewards": changing("status version_id updated_at deleted_at"),
    "reward_versions": ADD,
    "reward_segments": deleting(ADD),
    "payment_configs": changing("archived_at"),
    "vendors": changing(
        "name endpoint request_template_sealed sends_quantity response_mapping secret_header_name secret_header_sealed timeout_seconds updated_at"
    ),
    # What members were given.
    "grants": changing(
        "written_in status benefits details claimed_at reversed_at claim_transaction_id reversal_transaction_id entry_from entry_to"
    ),
    "coupon_assignments": deleting(ADD),
    "vendor_orders": changing(
        "status attempt_count is_uncertain lease_id due_at last_problem settled_at"
    ),
    "issuances": ADD,
    "cash_references": deleting(locked(ADD)),
    "reservations": changing("captured_minor transaction_id"),
    "notifications": changing("read_at"),
    "fulfillments": changing("stage step_count updated_at"),
    "fulfillment_steps": ADD,
    # The chain over what was done.
    "chain_blocks": ADD,
    "chain_leases": changing("holder_id leased_until"),
    # What organizations declare.
    "campaigns": changing("name status starts_at ends_at updated_at"),
    "campaign_counters": changing("used"),
    "campaign_uses": ADD,
    "custom_fields": changing("is_required choices"),
    "fulfillment_stages": changing("position"),
    "tills": ADD,
    "validation_codes": changing("used_at operation_id"),
}

OPERATOR: Mapping[str, Access] = {
    **dict.fromkeys(APPLICATION, READ),
    "tenants": ADD,
    "organizations": ADD,
    "assets": ADD,
    "credentials": changing(
        "secret_hash previous_secret_hash previous_until expires_at revoked_at"
    ),
    "credential_limits": deleting(changing("maximum_minor")),
    "issuers": changing("removed_at"),
}

ROLES: Mapping[str, Mapping[str, Access]] = {APPLICATION_ROLE: APPLICATION, OPERATOR_ROLE: OPERATOR}


def grant_statements() -> Iterator[str]:
    """Yield the statements that give each role what this page says, and take everything else away."""
    for role, tables in ROLES.items():
        yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}"
        yield f"GRANT USAGE ON SCHEMA public TO {role}"
        for table, access in tables.items():
            yield f"GRANT {', '.join(_privileges(access))} ON {table} TO {role}"


def _privileges(access: Access) -> Iterator[str]:
    yield "SELECT"
    if access.insert:
        yield "INSERT"
    if access.update:
        yield f"UPDATE ({', '.join(access.update.split())})"
    if access.delete:
        yield "DELETE"

"""Facts, made and hashed in the database: what each row says for good, as one JSON text.

A fact's text never changes once its row is committed, so that it can be made again at any time: what becomes of a grant later is a
fact of its own. What is left out is named in tests/integration/test_chain_facts.py, with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from gateway.chain.model import Fact, FactKind, Facts, Positions
from gateway.storage.database import Connection

# Of rows of one table that follow each other.
_WINDOW = """
{table}.tenant_id = $1 AND ({table}.written_in, {table}.id) > (${first}, ${second}) AND ({table}.written_in, {table}.id) <= (${third}, ${fourth})
"""


def _time(column: str) -> str:
    """Return a time in JSON whatever the session's zone and style are."""
    return f"{column} AT TIME ZONE 'UTC'"


def _digest(text: str) -> str:
    return f"encode(sha256(convert_to({text}, 'UTF8')), 'hex')"


OPERATION = f"""
json_build_array('operation', tenant_id, id, written_in, partner_id, organization_id, credential_id, kind, key, field_hashes, answer,
    {_time("created_at")}, {_time("fenced_at")})
"""

# The entries of a transaction are written with it. Their hashes on the account's own chain follow from the rest.
_ENTRY = f"""
json_build_array(index, account_id, asset_id, amount_minor, grant_id, {_time("occurred_at")}, sequence, balance_after_minor)::text
"""
_ALL_ENTRIES = f"coalesce(string_agg({_ENTRY}, ',' ORDER BY index), '')"
_ENTRIES = f"""
SELECT count(*) AS entry_count, {_digest(_ALL_ENTRIES)} AS digest FROM ledger_entries
WHERE ledger_entries.tenant_id = ledger_transactions.tenant_id AND transaction_id = ledger_transactions.id
"""
TRANSACTION = f"""
json_build_array('transaction', tenant_id, id, written_in, kind, operation_id, credential_id, reverses_id, description,
    {_time("occurred_at")}, entry_count, digest)
"""

# A voucher is given when its vendor has answered: until then a grant of one says nothing of what it gives. The codes that a
# grant gave are sealed for it alone, and sealed anew when the key changes.
_GIVEN = """
json_build_array((SELECT json_agg(benefit - 'sealed_code') FROM jsonb_array_elements(benefits) AS benefit), {details},
    (SELECT json_agg(json_build_array(index, account_id, ledger_entries.asset_id, amount_minor) ORDER BY index)
    FROM ledger_entries
    WHERE ledger_entries.tenant_id = grants.tenant_id AND ledger_entries.transaction_id = grants.transaction_id
        AND index >= entry_from AND index < entry_to))
""".format(details=_digest("details::text"))
_IS_VOUCHER = "kind = 'VENDOR_VOUCHER'"
# Metadata and details are the partner's own: a receipt shows no more than their hashes.
GRANT = f"""
json_build_array('grant', tenant_id, id, organization_id, member_id, operation_id, line_index, source, kind, reward_id,
    reward_version_id, action_code, client_reference, {_digest("metadata::text")}, {_time("rewarded_at")},
    {_time("expires_at")}, transaction_id, CASE WHEN {_IS_VOUCHER} THEN NULL ELSE {_GIVEN} END)
"""
CLAIM = f"""
json_build_array('claim', tenant_id, id, {_time("claimed_at")}, claim_transaction_id, status IN ('PENDING', 'CONFIRMED'),
    CASE WHEN {_IS_VOUCHER} THEN {_GIVEN} END)
"""
END = f"""
json_build_array('end', tenant_id, id, status = 'DECLINED', CASE WHEN {_IS_VOUCHER} THEN {_digest("details::text")} END)
"""
REVERSAL = f"""
json_build_array('reversal', tenant_id, id, {_time("reversed_at")}, reversal_transaction_id)
"""

# Which facts a grant has: it was made, it was claimed, it is no more, it was taken back.
_OF_GRANT = f"""
CROSS JOIN LATERAL (
    SELECT {FactKind.GRANT.value} AS fact_kind, {GRANT} AS content
    UNION ALL
    SELECT {FactKind.CLAIM.value}, {CLAIM} WHERE claimed_at IS NOT NULL OR status = 'CLAIMED'
    UNION ALL
    SELECT {FactKind.END.value}, {END} WHERE status IN ('EXPIRED', 'DECLINED', 'REVERSED')
    UNION ALL
    SELECT {FactKind.REVERSAL.value}, {REVERSAL} WHERE reversed_at IS NOT NULL
) AS of_grant
"""

_CONTENTS = f"""
SELECT written_in, {FactKind.OPERATION.value} AS fact_kind, id, {OPERATION} AS content
FROM operations WHERE {_WINDOW.format(table="operations", first=2, second=3, third=4, fourth=5)}
UNION ALL
SELECT written_in, {FactKind.TRANSACTION.value}, id, {TRANSACTION}
FROM ledger_transactions CROSS JOIN LATERAL ({_ENTRIES}) AS entries
WHERE {_WINDOW.format(table="ledger_transactions", first=6, second=7, third=8, fourth=9)}
UNION ALL
SELECT written_in, fact_kind, id, content
FROM grants {_OF_GRANT}
WHERE {_WINDOW.format(table="grants", first=10, second=11, third=12, fourth=13)}
"""

# Leaves of the tree are hashed as RFC 6962 has it, after a zero byte.
_HASH = r"sha256('\x00'::bytea || convert_to(content::text, 'UTF8'))"

PACK = f"""
SELECT string_agg(int4send(fact_kind), ''::bytea) AS kinds, string_agg(uuid_send(id), ''::bytea) AS ids,
    string_agg(hash, ''::bytea) AS hashes
FROM (
    SELECT fact_kind, id, {_HASH} AS hash FROM ({_CONTENTS}) AS facts ORDER BY written_in, fact_kind, id
) AS hashed
"""

FETCH_OF_GRANTS = f"""
SELECT fact_kind, id, {_HASH} AS hash, content::text AS content
FROM grants {_OF_GRANT} WHERE tenant_id = $1 AND id = ANY($2::uuid[])
ORDER BY id, fact_kind
"""

_INTEGER_BYTES = 4


async def pack_facts(
    connection: Connection, tenant_id: UUID, after: Positions, until: Positions
) -> Facts:
    """Return the facts of what was written after some positions and up to others; one round trip."""
    bounds = [
        value
        for pair in zip(after, until, strict=True)
        for position in pair
        for value in (position.written_in, position.id)
    ]
    (row,) = await connection.fetch(PACK, tenant_id, *bounds)
    if row["kinds"] is None:
        return Facts()
    return Facts(row["kinds"][_INTEGER_BYTES - 1 :: _INTEGER_BYTES], row["ids"], row["hashes"])


async def fetch_facts_of_grants(
    connection: Connection, tenant_id: UUID, grant_ids: Sequence[UUID]
) -> dict[tuple[FactKind, UUID], tuple[Fact, str]]:
    """Return what the grants of these ids say now, each fact with its text; one round trip."""
    rows = await connection.fetch(FETCH_OF_GRANTS, tenant_id, grant_ids)
    return {
        (kind, id_): (Fact(FactKind(kind), id_, hash_), content)
        for kind, id_, hash_, content in map(tuple, rows)
    }

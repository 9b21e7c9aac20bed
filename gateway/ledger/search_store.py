"""Find entries of an account by time, through the index by sequence: the SQL that other statements are made of.

An account's entries are in the order of time as they are in that of posting, and their sequences run from 1 to the account's
`entry_count` without gaps; so where a time stands among them is found by halving, in as many look-ups as the count has binary
digits (docs/decisions/0050-entries-by-sequence.md). Each piece stands in a FROM clause, after `accounts` and as its LATERAL.
"""

from __future__ import annotations

ENTRY_COLUMNS = """
transaction_id, index, account_id, asset_id, amount_minor, balance_after_minor, sequence, grant_id, occurred_at
"""


def last_entry(condition: str, *, first_look: str = "entry_count") -> str:
    """Return a subquery of one row, `sequence`: the last entry of the account for which a condition holds, 0 if for none.

    The condition must hold up to some entry and for none after it. The entry looked at first is the last one, or another: an
    end of history is found in one look-up where it is expected.
    """
    # The look-up is limited so that it stays one, by index, whatever the statistics of the table say.
    return f"""(
    WITH RECURSIVE search (low, high, middle) AS (
        SELECT 0::bigint, entry_count + 1, {first_look}
        UNION ALL
        SELECT halved.low, halved.high, (halved.low + halved.high) / 2
        FROM search LEFT JOIN LATERAL (
            SELECT {condition} AS is_before FROM ledger_entries
            WHERE tenant_id = $1 AND account_id = accounts.id AND sequence = middle LIMIT 1
        ) AS found ON true
        CROSS JOIN LATERAL (
            SELECT CASE WHEN is_before THEN middle ELSE search.low END, CASE WHEN is_before THEN search.high ELSE middle END
        ) AS halved (low, high)
        WHERE search.low + 1 < search.high
    )
    SELECT low AS sequence FROM search WHERE low + 1 = high
)"""


def entries_between(
    place: str, newer: str, older: str, limit: str, *, backwards: bool = False
) -> str:
    """Return a subquery of the account's entries between two places, both exclusive: the newest, or backwards the oldest.

    A place is a row of columns that begins with the time; `newer` and `older` are rows of parameters.
    """
    inside = f"{place} < {newer} AND {place} > {older}"
    if backwards:
        start = last_entry(f"{place} <= {older}", first_look="1::bigint")
        walk, order = "sequence > start_sequence", "sequence"
    else:
        start = last_entry(f"{place} < {newer}")
        walk, order = "sequence <= start_sequence", "sequence DESC"
    # Limited before it is asked what lies inside: entries are in order, so those inside come first.
    return f"""(
    SELECT near.* FROM {start} AS start (start_sequence) CROSS JOIN LATERAL (
        SELECT {ENTRY_COLUMNS} FROM ledger_entries
        WHERE tenant_id = $1 AND account_id = accounts.id AND {walk}
        ORDER BY {order} LIMIT {limit}
    ) AS near
    WHERE {inside}
)"""

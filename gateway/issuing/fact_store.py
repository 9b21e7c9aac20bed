"""What a call's organisations and its member say about its items: one statement, whatever the number of items."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from gateway.issuing.custom_fields.model import CustomField, CustomFieldType
from gateway.storage.database import Connection

# One row, whatever is missing.
FACTS = """
SELECT
    ARRAY(SELECT wanted.id FROM unnest($3::uuid[]) AS wanted (id)
        WHERE EXISTS (SELECT FROM reward_segments WHERE tenant_id = $1 AND reward_id = wanted.id)
            AND NOT EXISTS (SELECT FROM reward_segments
                JOIN segment_members ON segment_members.tenant_id = $1
                    AND segment_members.segment_id = reward_segments.segment_id AND segment_members.member_id = $4
                WHERE reward_segments.tenant_id = $1 AND reward_segments.reward_id = wanted.id)) AS closed_reward_ids,
    ARRAY(SELECT DISTINCT status FROM member_cards WHERE tenant_id = $1 AND member_id = $4) AS card_statuses,
    ARRAY(SELECT DISTINCT status FROM member_labels WHERE tenant_id = $1 AND member_id = $4) AS label_statuses,
    ARRAY(SELECT jsonb_build_object('organisation_id', organisation_id, 'name', name, 'kind', kind,
            'is_required', is_required, 'choices', choices)
        FROM custom_fields WHERE tenant_id = $1 AND organisation_id = ANY($2::uuid[])
        ORDER BY organisation_id, name) AS custom_fields,
    ARRAY(SELECT jsonb_build_object('organisation_id', organisation_id, 'name', name)
        FROM fulfillment_stages WHERE tenant_id = $1 AND organisation_id = ANY($2::uuid[])
        ORDER BY organisation_id, position, created_at, name) AS stages
"""


@dataclass(frozen=True, slots=True)
class FoundFacts:
    """One row of facts."""

    closed_reward_ids: frozenset[UUID]
    card_statuses: frozenset[str]
    label_statuses: frozenset[str]
    custom_fields: dict[UUID, dict[str, CustomField]]
    stages: dict[UUID, list[str]]


async def fetch_facts(
    connection: Connection,
    tenant_id: UUID,
    organisation_ids: Sequence[UUID],
    reward_ids: Sequence[UUID],
    member_id: UUID,
) -> FoundFacts:
    """Return what there is to know about these rewards, organisations and this member."""
    (row,) = await connection.fetch(FACTS, tenant_id, organisation_ids, reward_ids, member_id)
    fields: dict[UUID, dict[str, CustomField]] = defaultdict(dict)
    for one in row["custom_fields"]:
        fields[UUID(one["organisation_id"])][one["name"]] = CustomField(
            one["name"], CustomFieldType(one["kind"]), one["is_required"], tuple(one["choices"])
        )
    stages: dict[UUID, list[str]] = defaultdict(list)
    for one in row["stages"]:
        stages[UUID(one["organisation_id"])].append(one["name"])
    return FoundFacts(
        frozenset(row["closed_reward_ids"]),
        frozenset(row["card_statuses"]),
        frozenset(row["label_statuses"]),
        fields,
        stages,
    )

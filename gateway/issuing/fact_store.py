"""Who calls are for, and what organizations and members say about their items: one statement, whatever the number of any."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from gateway.ids import to_uuid
from gateway.issuing.custom_fields.model import CustomField, CustomFieldType
from gateway.issuing.tills.model import NO_TILLS, DeclaredTills
from gateway.members.model import MemberReference
from gateway.members.reference_store import FIND, to_find_arguments
from gateway.operations.store import Reading
from gateway.rewards.current_store import STATE, State

# One row, whatever is missing. `admitted` pairs each reserved reward with those of the members who are in one of its segments.
FACTS = f"""
WITH found AS MATERIALIZED (SELECT ARRAY({FIND}) AS member_ids)
SELECT
    member_ids,
    ARRAY(SELECT {STATE} FROM rewards WHERE tenant_id = $1 AND organization_id = ANY($5::uuid[])
        AND rewards.id = ANY($6::uuid[]) AND deleted_at IS NULL) AS reward_states,
    ARRAY(SELECT DISTINCT reward_id FROM reward_segments
        WHERE tenant_id = $1 AND reward_id = ANY($6::uuid[])) AS reserved_reward_ids,
    ARRAY(SELECT DISTINCT jsonb_build_array(reward_id, member_id) FROM reward_segments
        JOIN segment_members ON segment_members.tenant_id = $1
            AND segment_members.segment_id = reward_segments.segment_id AND member_id = ANY(member_ids)
        WHERE reward_segments.tenant_id = $1 AND reward_id = ANY($6::uuid[])) AS admitted,
    ARRAY(SELECT DISTINCT jsonb_build_array(member_id, status) FROM member_cards
        WHERE tenant_id = $1 AND member_id = ANY(member_ids)) AS card_statuses,
    ARRAY(SELECT DISTINCT jsonb_build_array(member_id, status) FROM member_labels
        WHERE tenant_id = $1 AND member_id = ANY(member_ids)) AS label_statuses,
    ARRAY(SELECT jsonb_build_object('organization_id', organization_id, 'name', name, 'kind', kind,
            'is_required', is_required, 'choices', choices)
        FROM custom_fields WHERE tenant_id = $1 AND organization_id = ANY($5::uuid[])
        ORDER BY organization_id, name) AS custom_fields,
    ARRAY(SELECT jsonb_build_object('organization_id', organization_id, 'name', name)
        FROM fulfillment_stages WHERE tenant_id = $1 AND organization_id = ANY($5::uuid[])
        ORDER BY organization_id, position, created_at, name) AS stages,
    ARRAY(SELECT organization_id FROM unnest($7::uuid[]) AS asked (organization_id) WHERE EXISTS (
        SELECT FROM tills WHERE tenant_id = $1 AND tills.organization_id = asked.organization_id)) AS till_organization_ids,
    ARRAY(SELECT jsonb_build_array(organization_id, name_key, id) FROM tills
        WHERE tenant_id = $1 AND organization_id = ANY($7::uuid[]) AND name_key = ANY($8::text[])) AS tills
FROM found
"""


@dataclass(frozen=True, slots=True)
class FoundFacts:
    """What there is to know; `admitted` has the reserved rewards that each member may be issued all the same.

    `member_ids` are in the order in which members were named, None for nobody.
    """

    member_ids: Sequence[UUID | None]
    reward_states: Sequence[State]
    reserved_reward_ids: frozenset[UUID]
    admitted: Mapping[UUID, set[UUID]]
    card_statuses: Mapping[UUID, set[str]]
    label_statuses: Mapping[UUID, set[str]]
    custom_fields: Mapping[UUID, dict[str, CustomField]]
    stages: Mapping[UUID, list[str]]
    tills: DeclaredTills


def facts_reading(
    members: Sequence[MemberReference],
    organization_ids: Sequence[UUID],
    reward_ids: Sequence[UUID],
    till_organization_ids: Sequence[UUID],
    till_name_keys: Sequence[str],
) -> Reading:
    """Return what to read about these members, organizations and rewards, and about the tills that may be meant."""
    asked = (organization_ids, reward_ids, till_organization_ids, till_name_keys)
    return Reading(FACTS, (*to_find_arguments(members), *asked))


def to_found_facts(row: asyncpg.Record) -> FoundFacts:
    """Return what the reading found."""
    admitted: dict[UUID, set[UUID]] = defaultdict(set)
    for reward_id, member_id in row["admitted"]:
        admitted[to_uuid(member_id)].add(to_uuid(reward_id))
    fields: dict[UUID, dict[str, CustomField]] = defaultdict(dict)
    for one in row["custom_fields"]:
        fields[to_uuid(one["organization_id"])][one["name"]] = CustomField(
            one["name"], CustomFieldType(one["kind"]), one["is_required"], tuple(one["choices"])
        )
    stages: dict[UUID, list[str]] = defaultdict(list)
    for one in row["stages"]:
        stages[to_uuid(one["organization_id"])].append(one["name"])
    return FoundFacts(
        row["member_ids"],
        row["reward_states"],
        frozenset(row["reserved_reward_ids"]),
        admitted,
        _by_member(row["card_statuses"]),
        _by_member(row["label_statuses"]),
        fields,
        stages,
        _to_tills(row),
    )


def _to_tills(row: asyncpg.Record) -> DeclaredTills:
    organization_ids = row["till_organization_ids"]
    if not organization_ids:
        return NO_TILLS
    ids = {
        (to_uuid(organization_id), name_key): to_uuid(till_id)
        for organization_id, name_key, till_id in row["tills"]
    }
    return DeclaredTills(frozenset(organization_ids), ids)


def _by_member(pairs: Iterable[tuple[str, str]]) -> dict[UUID, set[str]]:
    statuses: dict[UUID, set[str]] = defaultdict(set)
    for member_id, status in pairs:
        statuses[to_uuid(member_id)].add(status)
    return statuses

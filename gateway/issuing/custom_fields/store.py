"""Declarations of custom fields in the database. Each function is one round trip."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from gateway.issuing.custom_fields.model import CustomField, CustomFieldType
from gateway.storage.database import Connection

# The type stays: grants carry values of it.
DEFINE = """
INSERT INTO custom_fields (tenant_id, organization_id, name, kind, is_required, choices, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (tenant_id, organization_id, name) DO UPDATE
    SET is_required = excluded.is_required, choices = excluded.choices
    WHERE custom_fields.kind = excluded.kind
RETURNING name
"""

FETCH = """
SELECT name, kind, is_required, choices FROM custom_fields WHERE tenant_id = $1 AND organization_id = $2 ORDER BY name
"""


async def define_field(
    connection: Connection, tenant_id: UUID, organization_id: UUID, field: CustomField, at: datetime
) -> bool:
    """Declare a custom field, or change the one of this name; False if that one has another type."""
    rows = await connection.fetch(
        DEFINE,
        tenant_id,
        organization_id,
        field.name,
        field.kind,
        field.is_required,
        field.choices,
        at,
    )
    return bool(rows)


async def fetch_fields(
    connection: Connection, tenant_id: UUID, organization_id: UUID
) -> list[CustomField]:
    """Return an organization's custom fields, by name."""
    rows = await connection.fetch(FETCH, tenant_id, organization_id)
    return [
        CustomField(
            row["name"], CustomFieldType(row["kind"]), row["is_required"], tuple(row["choices"])
        )
        for row in rows
    ]

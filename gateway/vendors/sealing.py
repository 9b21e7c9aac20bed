"""What is secret of a vendor, as the database keeps it: its header's value, and the request that it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from gateway.keys.model import Keys, Label, place
from gateway.storage.database import to_json


def seal_secret(keys: Keys, tenant_id: UUID, vendor_id: UUID, secret: str) -> bytes:
    """Return a vendor's secret as the database keeps it; it opens for this vendor only."""
    return keys.seal(Label.VENDOR_SECRETS, secret.encode(), place(tenant_id, vendor_id))


def open_secret(keys: Keys, tenant_id: UUID, vendor_id: UUID, sealed: bytes) -> str:
    """Return what `seal_secret` sealed.

    Raises:
        CannotOpen: another key is needed, or the value was altered or moved.
    """
    return keys.open(Label.VENDOR_SECRETS, sealed, place(tenant_id, vendor_id)).decode()


def seal_template(
    keys: Keys, tenant_id: UUID, vendor_id: UUID, template: Mapping[str, Any]
) -> bytes:
    """Return a vendor's request template as the database keeps it; its orders have copies, which open for this vendor only."""
    return seal_secret(keys, tenant_id, vendor_id, to_json(template))


def open_template(keys: Keys, tenant_id: UUID, vendor_id: UUID, sealed: bytes) -> dict[str, Any]:
    """Return what `seal_template` sealed.

    Raises:
        CannotOpen: another key is needed, or the value was altered or moved.
    """
    template: dict[str, Any] = orjson.loads(open_secret(keys, tenant_id, vendor_id, sealed))
    return template

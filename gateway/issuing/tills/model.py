"""Tills, and one-time codes: made, spelled, and hashed. Only the hash of a code is ever stored."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self
from uuid import UUID

NAME_LENGTH_MAX = 200
SECONDS_DEFAULT = 300
SECONDS_MAX = 3_600
# Crockford's base 32: nothing that is mistaken for something else when it is read aloud. Eight of them are 40 bits.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 8
_FILLERS = re.compile(r"[\s-]")
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1"})


@dataclass(frozen=True, slots=True)
class Till:
    """A till of an organization. A call that names it must send a code."""

    id: UUID
    organization_id: UUID
    name: str
    created_at: datetime

    def to_json(self) -> dict[str, Any]:
        """Return it as an operation's stored answer keeps it."""
        return {
            "id": str(self.id),
            "organization_id": str(self.organization_id),
            "name": self.name,
            "created_at": self.created_at.isoformat(),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(
            UUID(value["id"]),
            UUID(value["organization_id"]),
            value["name"],
            datetime.fromisoformat(value["created_at"]),
        )


@dataclass(frozen=True, slots=True)
class DeclaredTills:
    """Which organizations declare tills, and those tills of theirs that calls name: ids by organization and key of the name."""

    organization_ids: frozenset[UUID] = frozenset()
    ids: Mapping[tuple[UUID, str], UUID] = field(default_factory=dict)


# Of most organizations.
NO_TILLS = DeclaredTills()


def new_code() -> str:
    """Make a code that nobody can guess."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def hash_code(tenant_id: UUID, till_id: UUID, member_id: UUID, code: str) -> bytes:
    """Return what is stored of a code: it says nothing at another till, or about another member. Shape: 32 bytes.

    Capitals, spaces and hyphens make no difference, nor do the letters that look like digits.
    """
    spelled = _FILLERS.sub("", code.upper()).translate(_MISREAD)
    owner = tenant_id.bytes + till_id.bytes + member_id.bytes
    return hashlib.sha256(owner + spelled.encode()).digest()

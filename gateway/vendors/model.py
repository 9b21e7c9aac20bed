"""Vendors: what is known of each, what may be written about it, and every rule of that."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from gateway.errors import FieldError
from gateway.keys.model import Keys, sealed_bytes
from gateway.operations.model import Confidential
from gateway.text import check_text
from gateway.vendors.addresses import AddressPolicy
from gateway.vendors.mapping import ResponseMapping
from gateway.vendors.template import check_template

NAME_LENGTH_MAX = 200
SECRET_LENGTH_MAX = 1024
TIMEOUT_SECONDS_DEFAULT = 5
TIMEOUT_SECONDS_MAX = 30

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
# The gateway writes these itself, or they change how the message is framed.
_RESERVED_HEADERS = frozenset(
    {
        "accept",
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "expect",
        "host",
        "idempotency-key",
        "keep-alive",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    }
)


@dataclass(frozen=True, slots=True)
class VendorSecurity:
    """What calls to vendors are bound by: the addresses allowed, and the keys that their secrets are sealed with."""

    addresses: AddressPolicy
    keys: Keys


@dataclass(frozen=True, slots=True)
class SecretHeader:
    """A header that proves to the vendor who is asking."""

    name: str
    value: str

    def __repr__(self) -> str:
        return f"SecretHeader(name={self.name!r})"


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor: of its secret only the header's name, and its request as it is kept. Units: seconds for one call."""

    id: UUID
    organization_id: UUID
    name: str
    endpoint: str
    request_template_sealed: bytes
    sends_quantity: bool
    response_mapping: ResponseMapping
    secret_header_name: str | None
    timeout_seconds: int
    created_at: datetime
    updated_at: datetime

    def to_json(self) -> dict[str, Any]:
        """Return it as an operation's stored answer keeps it."""
        return {
            "id": str(self.id),
            "organization_id": str(self.organization_id),
            "name": self.name,
            "endpoint": self.endpoint,
            "sends_quantity": self.sends_quantity,
            "request_template_sealed": urlsafe_b64encode(self.request_template_sealed).decode(),
            "response_mapping": self.response_mapping.to_json(),
            "secret_header_name": self.secret_header_name,
            "timeout_seconds": self.timeout_seconds,
            "created_at": self.created_at.isoformat(),
            "updated_at": self.updated_at.isoformat(),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(
            id=UUID(value["id"]),
            organization_id=UUID(value["organization_id"]),
            name=value["name"],
            endpoint=value["endpoint"],
            sends_quantity=value["sends_quantity"],
            request_template_sealed=sealed_bytes(value["request_template_sealed"]),
            response_mapping=ResponseMapping.from_json(value["response_mapping"]),
            secret_header_name=value["secret_header_name"],
            timeout_seconds=value["timeout_seconds"],
            created_at=datetime.fromisoformat(value["created_at"]),
            updated_at=datetime.fromisoformat(value["updated_at"]),
        )


@dataclass(frozen=True, slots=True)
class VendorFields:
    """What a caller writes about a vendor; None stands for a field that is not named.

    `removes_secret` says that the secret header is named, and named as none.
    """

    name: str | None = None
    endpoint: str | None = None
    request_template: Mapping[str, Any] | None = None
    response_mapping: ResponseMapping | None = None
    secret_header: SecretHeader | None = None
    removes_secret: bool = False
    timeout_seconds: int | None = None

    def to_fields(self, keys: Keys) -> dict[str, Any]:
        """Return the named fields by their GraphQL names, for the request's fingerprint."""
        mapping, header = self.response_mapping, self.secret_header
        template = self.request_template
        spelled = {
            "name": self.name,
            "endpoint": self.endpoint,
            "requestTemplate": None if template is None else Confidential(template, keys),
            "responseMapping": mapping.to_json() if mapping else None,
            "secretHeader": Confidential([header.name, header.value], keys) if header else None,
            "timeoutSeconds": self.timeout_seconds,
        }
        named = {name: value for name, value in spelled.items() if value is not None}
        return named | ({"secretHeader": []} if self.removes_secret else {})

    def check(self, security: VendorSecurity) -> list[FieldError]:
        """Return every broken rule of the fields that are named."""
        errors = check_text(self.name, ("input", "name"), NAME_LENGTH_MAX)
        if self.endpoint is not None:
            errors += security.addresses.check(self.endpoint, ("input", "endpoint"))
        if self.request_template is not None:
            errors += check_template(self.request_template, ("input", "requestTemplate"))
        if self.response_mapping is not None:
            errors += self.response_mapping.check(("input", "responseMapping"))
        if self.secret_header is not None:
            errors += _check_secret(self.secret_header, ("input", "secretHeader"))
        seconds = self.timeout_seconds
        if seconds is not None and not 1 <= seconds <= TIMEOUT_SECONDS_MAX:
            message = f"timeoutSeconds must be from 1 to {TIMEOUT_SECONDS_MAX}."
            errors.append(FieldError(("input", "timeoutSeconds"), "range", message))
        return errors


def _check_secret(header: SecretHeader, path: tuple[str, ...]) -> list[FieldError]:
    errors = []
    if not _HEADER_NAME.fullmatch(header.name) or header.name.lower() in _RESERVED_HEADERS:
        message = "name must be the name of an HTTP header that the gateway does not write itself."
        errors.append(FieldError((*path, "name"), "header", message))
    if len(header.value) > SECRET_LENGTH_MAX or not _HEADER_VALUE.fullmatch(header.value):
        message = f"value must be 1 to {SECRET_LENGTH_MAX} printable ASCII characters, without spaces around them."
        errors.append(FieldError((*path, "value"), "header", message))
    return errors

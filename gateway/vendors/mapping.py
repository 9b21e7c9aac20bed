"""Where in a vendor's answer the voucher stands: paths in JMESPath, of which only plain steps are allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import jmespath
from jmespath.exceptions import JMESPathError

from gateway.errors import FieldError

PATH_LENGTH_MAX = 256
# Fields and indexes: what takes no longer than the path is long. Projections, filters and functions could.
_STEPS = frozenset({"field", "subexpression", "index_expression", "index", "identity"})


@dataclass(frozen=True, slots=True)
class ResponseMapping:
    """One path for each thing that is read from an answer; only the voucher's must be there."""

    voucher: str
    valid_till: str | None = None
    offer_name: str | None = None
    series_id: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object to be stored."""
        return {
            "voucher": self.voucher,
            "valid_till": self.valid_till,
            "offer_name": self.offer_name,
            "series_id": self.series_id,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(value["voucher"], value["valid_till"], value["offer_name"], value["series_id"])

    def check(self, path: tuple[str, ...]) -> list[FieldError]:
        """Return every path that is not a plain one."""
        named = {
            "voucher": self.voucher,
            "validTill": self.valid_till,
            "offerName": self.offer_name,
            "seriesId": self.series_id,
        }
        return [
            FieldError((*path, name), "path", f"{name} must be a path such as data.items[0].code.")
            for name, expression in named.items()
            if expression is not None and not _is_plain(expression)
        ]


def find_value(expression: str | None, document: object) -> Any:
    """Return what stands at the path, or None if nothing does."""
    return None if expression is None else jmespath.search(expression, document)


def _is_plain(expression: str) -> bool:
    if not 0 < len(expression) <= PATH_LENGTH_MAX or "\0" in expression:
        return False
    try:
        parsed: Mapping[str, Any] = jmespath.compile(expression).parsed
        expression.encode()
    except (JMESPathError, UnicodeEncodeError):
        return False
    return _has_only_steps(parsed)


def _has_only_steps(node: Mapping[str, Any]) -> bool:
    return node["type"] in _STEPS and all(_has_only_steps(child) for child in node["children"])

"""What a caller writes about a reward, to create it or to change it, and every rule of it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

from gateway.errors import FieldError
from gateway.keys.model import Keys
from gateway.operations.model import Confidential
from gateway.rewards.model import RewardStatus
from gateway.rewards.payments import PaymentConfigDraft, check_payment_configs
from gateway.rewards.rules import check_description, check_metadata, check_name
from gateway.rewards.types import kind_of
from gateway.rewards.types.base import Draft, Facts, References
from gateway.storage.database import to_json


class Unset(enum.Enum):
    """The type of UNSET: a field that an update does not name, so does not change."""

    UNSET = enum.auto()


UNSET: Final = Unset.UNSET
NotNamed: TypeAlias = Literal[Unset.UNSET]


@dataclass(frozen=True, slots=True)
class RewardFields:
    """A reward's fields as a caller wrote them. None is what a caller may write and, but for descriptions, may not mean."""

    name: str | NotNamed | None = UNSET
    description: str | NotNamed | None = UNSET
    config: Draft | NotNamed | None = UNSET
    metadata: Any = UNSET
    status: RewardStatus | NotNamed | None = UNSET
    payment_configs: tuple[PaymentConfigDraft, ...] | NotNamed | None = UNSET
    # The segments that it is reserved for; none means everybody. An id that can name none is the lowest one.
    segment_ids: tuple[UUID, ...] | NotNamed | None = UNSET
    # What members may read, where `metadata` is the partner's.
    member_metadata: Any = UNSET

    def to_fingerprint(self, keys: Keys) -> dict[str, Any]:
        """Return the named fields for the request's fingerprint, which does not give away the code in a configuration."""
        fields = self.to_fields()
        if "config" in fields:
            fields["config"] = Confidential(fields["config"], keys)
        return fields

    def to_fields(self) -> dict[str, Any]:
        """Return the named fields in one spelling by their GraphQL names."""
        spelled: dict[str, Any] = {}
        if self.name is not UNSET:
            spelled["name"] = self.name
        if self.description is not UNSET:
            spelled["description"] = self.description
        if self.metadata is not UNSET:
            spelled["metadata"] = self.metadata
        if self.member_metadata is not UNSET:
            spelled["memberMetadata"] = self.member_metadata
        if self.status is not UNSET:
            spelled["status"] = self.status
        if isinstance(self.payment_configs, tuple):
            spelled["paymentConfigs"] = [config.to_fields() for config in self.payment_configs]
        if isinstance(self.segment_ids, tuple):
            spelled["segmentIds"] = list(self.segment_ids)
        if draft := self.draft:
            spelled["config"] = {kind_of(draft).input_name: draft.to_fields()}
        return spelled

    @property
    def draft(self) -> Draft | None:
        """Return the configuration, if one is named."""
        return None if self.config is UNSET else self.config

    @property
    def config_path(self) -> tuple[str, ...]:
        """Return the path of the configuration's own input object."""
        path = ("input", "config")
        return (*path, kind_of(self.draft).input_name) if self.draft else path

    @property
    def can_be_fingerprinted(self) -> bool:
        """Tell whether the fields can be written as JSON; if not, `check` says which one breaks which rule."""
        try:
            to_json(self.to_fields())
        except TypeError:
            return False
        return True

    def references(self) -> References:
        """Return every id that must exist."""
        configs = self.payment_configs if isinstance(self.payment_configs, tuple) else ()
        found = [config.references() for config in configs]
        if draft := self.draft:
            found.append(draft.references())
        return reduce(or_, found, References())

    def check(self, facts: Facts) -> list[FieldError]:
        """Return every broken rule of the fields that are named, in the order of the input's fields (MON-3)."""
        errors: list[FieldError] = []
        if self.name is not UNSET:
            errors += check_name(self.name, ("input", "name"))
        errors += self._check_config(facts)
        if isinstance(self.description, str):
            errors += check_description(self.description, ("input", "description"))
        if self.status is None:
            errors += _refuse_null("status")
        if self.metadata is not UNSET:
            errors += check_metadata(self.metadata, ("input", "metadata"))
        if self.member_metadata is not UNSET:
            errors += check_metadata(self.member_metadata, ("input", "memberMetadata"))
        errors += self._check_payment_configs(facts)
        return errors + (_refuse_null("segmentIds") if self.segment_ids is None else [])

    def _check_config(self, facts: Facts) -> list[FieldError]:
        if self.config is UNSET:
            return []
        if self.config is None:
            return _refuse_null("config")
        return self.config.check(facts, self.config_path)

    def _check_payment_configs(self, facts: Facts) -> list[FieldError]:
        if self.payment_configs is UNSET:
            return []
        if self.payment_configs is None:
            return _refuse_null("paymentConfigs")
        return check_payment_configs(self.payment_configs, facts, ("input", "paymentConfigs"))


def _refuse_null(name: str) -> list[FieldError]:
    return [FieldError(("input", name), "required", f"{name} is required.")]

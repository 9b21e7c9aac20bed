"""What is secret in a reward's configuration: the code of a coupon that is the same for everybody, sealed for its reward."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from gateway.keys.model import Keys, Label, place
from gateway.rewards.model import Configuration
from gateway.rewards.types.non_unique_coupon import NonUniqueCouponConfiguration


@dataclass(frozen=True, slots=True)
class RewardSeal:
    """Seals and opens the texts of one reward."""

    keys: Keys
    tenant_id: UUID
    reward_id: UUID

    def seal(self, text: str) -> str:
        """Return what the reward may keep of a text."""
        return self.keys.seal_text(Label.COUPON_CODES, text, place(self.tenant_id, self.reward_id))

    def open(self, sealed: str) -> str:
        """Return what `seal` sealed.

        Raises:
            CannotOpen: another key is needed, or the value was altered, or is of another reward.
        """
        return self.keys.open_text(
            Label.COUPON_CODES, sealed, place(self.tenant_id, self.reward_id)
        )

    def keep(self, before: Configuration, after: Configuration) -> Configuration:
        """Return `after`, or `before` if only the seal differs: every sealing of a text gives another one."""
        if (
            isinstance(before, NonUniqueCouponConfiguration)
            and isinstance(after, NonUniqueCouponConfiguration)
            and self.open(before.sealed_code) == self.open(after.sealed_code)
        ):
            return replace(after, sealed_code=before.sealed_code)
        return after

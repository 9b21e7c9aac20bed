"""Who may change a member: members are shared by the tenant's organizations, and who they are is not everybody's to say.

The organization that made a member changes the name, identifiers, cards and labels, and makes the member's tokens; so does one
whose credential reaches it (decision 0066).
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.access import Caller
from gateway.errors import OutOfReach
from gateway.members.model import Member


def require_authority(caller: Caller, member: Member, path: Sequence[str]) -> None:
    """Let a caller pass who may change the member.

    Raises:
        OutOfReach: another organization made the member, and the credential does not reach it.
    """
    if member.organization_id not in caller.organization_ids:
        message = (
            "Another organization made this member: only it, or a credential that reaches it, "
            "changes the name, identifiers, cards and labels, and makes tokens."
        )
        raise OutOfReach(message, path)

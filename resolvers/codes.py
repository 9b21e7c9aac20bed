"""Who reads a code: the member whose it is, a partner with the scope `codes`, and the call that issued it; others see it masked."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from gateway.access import Caller, Scope
from gateway.grants.codes import open_benefit
from gateway.grants.status import StatusCode
from gateway.rewards.codes import mask_code
from gateway.text import HIDDEN
from gateway.visibility import is_partner
from resolvers.context import Context


class CodeView(enum.Enum):
    """How an answer shows the code of a grant."""

    BY_SCOPE = enum.auto()
    # The answer, or a replay of it, of the call that issued the code.
    ISSUED = enum.auto()
    # A dry run: the code is still free, and another member may get it.
    DRY_RUN = enum.auto()


class Held(Protocol):
    """What is known of a grant."""

    @property
    def id(self) -> UUID:
        """Return the grant's id."""

    @property
    def member_id(self) -> UUID:
        """Return whose it is."""


def view_issued(code: StatusCode, *, is_dry_run: bool) -> CodeView:
    """Return how the answer of a call that issues rewards shows the code of an item that ended with this status."""
    if is_dry_run:
        return CodeView.DRY_RUN
    # Another call has issued that one.
    return CodeView.BY_SCOPE if code is StatusCode.ALREADY_ISSUED else CodeView.ISSUED


def may_read_codes(caller: Caller) -> bool:
    """Tell whether the caller reads all codes of its organization."""
    return is_partner(caller) and Scope.CODES in caller.scopes


def show_code(context: Context, grant: Held, benefit: Mapping[str, Any], view: CodeView) -> str:
    """Return the code of a grant's benefit as this caller may read it."""
    if view is CodeView.DRY_RUN:
        return HIDDEN
    caller = context.caller
    code = open_benefit(context.database.keys, caller.tenant_id, grant.id, benefit)
    is_holder = caller.member_id == grant.member_id
    is_shown = view is CodeView.ISSUED or is_holder or may_read_codes(caller)
    return code if is_shown else mask_code(code)

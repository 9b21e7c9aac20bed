"""Recognize callers without asking the database about a busy token more than once a second, nor about each alone."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

from gateway.access import Caller
from gateway.errors import Unauthenticated
from gateway.storage.database import Database
from gateway.tenants.credentials import REFUSAL, fetch_holders, read_token
from gateway.tenants.last_use import LastUse
from gateway.tenants.tokens import Token

# How long a revoked or expired token may still open this process.
TRUST_SECONDS = 1.0
TOKENS_MAX = 10_000
# How many others are looked up along with a token.
RENEWED_MAX = 200


@dataclass(slots=True)
class _Known:
    """Who holds a token, until when that is believed, and whether it has come again since it was looked up."""

    token: Token
    caller: Caller
    until: float
    is_used: bool = False


class Recognition:
    """Remembers for a second who held a token; refusals are not remembered.

    A look-up renews the tenant's other busy tokens whose second is half over: hundreds of members at once take a few
    statements a second, not one each.
    """

    def __init__(self, database: Database, last_use: LastUse | None = None) -> None:
        """Take where credentials are, and where to note that they are used."""
        self._database = database
        self._last_use = last_use or LastUse(database)
        # In the order in which they lapse: all of them, and those of each tenant, so that none looks through the others'.
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._of_tenants: dict[UUID, dict[str, _Known]] = {}

    async def recognize(self, text: str) -> Caller:
        """Return who holds the token of this text; no round trip if it was looked up within the last second.

        Raises:
            Unauthenticated: it is not a token, or it is unknown, expired or revoked.
        """
        known = self._known.get(text)
        now = monotonic()
        if known is not None and now < known.until:
            known.is_used = True
            return known.caller
        token = read_token(text)
        wanted = {text: token} | self._find_due(token.tenant_id, now)
        holders = await fetch_holders(self._database, token.tenant_id, list(wanted.values()))
        for wanted_text, wanted_token in wanted.items():
            caller = holders.get(wanted_token)
            self._forget(wanted_text)
            if caller is not None:
                self._keep(wanted_text, _Known(wanted_token, caller, now + TRUST_SECONDS))
                # All of them were used since they were last looked up.
                self._last_use.note(wanted_token.tenant_id, wanted_token.credential_id)
        while len(self._known) > TOKENS_MAX:
            self._forget(next(iter(self._known)))
        if token not in holders:
            raise Unauthenticated(REFUSAL)
        return holders[token]

    def _find_due(self, tenant_id: UUID, now: float) -> dict[str, Token]:
        """Return the tenant's busy tokens that lapse soonest, and let go of those that have lapsed unused."""
        due: dict[str, Token] = {}
        lapsed = []
        for text, known in self._of_tenants.get(tenant_id, {}).items():
            if known.until > now + TRUST_SECONDS / 2 or len(due) == RENEWED_MAX:
                break
            if not known.is_used:
                if known.until <= now:
                    lapsed.append(text)
            else:
                # Others that are looked up meanwhile leave it to this one.
                known.is_used = False
                due[text] = known.token
        for text in lapsed:
            self._forget(text)
        return due

    def _keep(self, text: str, known: _Known) -> None:
        self._known[text] = known
        self._of_tenants.setdefault(known.token.tenant_id, {})[text] = known

    def _forget(self, text: str) -> None:
        known = self._known.pop(text, None)
        if known is None:
            return
        tenant_id = known.token.tenant_id
        of_tenant = self._of_tenants[tenant_id]
        del of_tenant[text]
        if not of_tenant:
            del self._of_tenants[tenant_id]

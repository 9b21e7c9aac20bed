"""What every resolver of one request shares: the database, the caller, the request id and the loaders."""

from __future__ import annotations

from functools import cached_property
from typing import TypeAlias

import strawberry

from gateway.access import Caller, Scope
from gateway.errors import FieldError, InvalidInput, Unauthenticated
from gateway.granting.groups import GrantGroups
from gateway.issuing.groups import IssuanceGroups
from gateway.purchasing.purchaser import Purchaser
from gateway.storage.database import Database
from gateway.vendors.model import VendorSecurity
from resolvers.loaders import Loaders

ROWS_MAX = 10_000


class Context:
    """One request's context. Nothing here outlives the request."""

    def __init__(
        self,
        database: Database,
        caller: Caller | None,
        request_id: str,
        grant_groups: GrantGroups | None = None,
        purchaser: Purchaser | None = None,
        issuance_groups: IssuanceGroups | None = None,
    ) -> None:
        """Take who calls, or None for an anonymous request.

        Without groups each grant and issuance commits alone; without a purchaser, vendors' orders are left to the worker.
        """
        self.database = database
        self.grant_groups = grant_groups
        self.issuance_groups = issuance_groups
        self.request_id = request_id
        self.purchaser = purchaser
        self._caller = caller
        self._rows_left = ROWS_MAX

    @property
    def caller(self) -> Caller:
        """Return who calls.

        Raises:
            Unauthenticated: the request carries no credential.
        """
        if self._caller is None:
            raise Unauthenticated("This needs a credential: send Authorization: Bearer <token>.")
        return self._caller

    @property
    def scopes(self) -> frozenset[Scope] | None:
        """Return what the caller may do, against which the operation is checked; None for an anonymous request."""
        return None if self._caller is None else self._caller.scopes

    @cached_property
    def loaders(self) -> Loaders:
        """Return the request's loaders: what one resolver loaded, another gets from memory."""
        return Loaders(self.database, self.caller)

    @property
    def vendor_security(self) -> VendorSecurity:
        """Return what calls to vendors are bound by."""
        assert self.purchaser is not None  # noqa: S101 - the composition root gives one
        return self.purchaser.security

    def forget_loaded(self) -> None:
        """Let go of everything loaded: a mutation is about to change it."""
        self.__dict__.pop("loaders", None)

    def begin_again(self) -> None:
        """Forget loaded things and counted rows: the operation is executed anew."""
        self.forget_loaded()
        self._rows_left = ROWS_MAX

    def spend_rows(self, count: int) -> None:
        """Count rows of lists towards the request's bound: pages within pages multiply.

        Raises:
            InvalidInput: the lists of this request have more than 10,000 rows together.
        """
        self._rows_left -= count
        if self._rows_left < 0:
            message = f"The lists of one request may have {ROWS_MAX} rows together; ask for smaller pages."
            raise InvalidInput([FieldError(("first",), "rows", message)])


Info: TypeAlias = strawberry.Info[Context, None]

"""The mutations of each area, one area a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from tests.mutants.areas import (
    admission,
    chain,
    credentials,
    grouping,
    http,
    keys,
    ledger,
    owners,
    privileges,
    readiness,
    retries,
    rewards,
    scopes,
    sealing,
    signed_tokens,
    tenants,
    timeouts,
    vendors,
)
from tests.mutants.model import Mutation

AREAS: Final[Mapping[str, Sequence[Mutation]]] = {
    "admission": admission.MUTATIONS,
    "chain": chain.MUTATIONS,
    "credentials": credentials.MUTATIONS,
    "grouping": grouping.MUTATIONS,
    "http": http.MUTATIONS,
    "keys": keys.MUTATIONS,
    "ledger": ledger.MUTATIONS,
    "owners": owners.MUTATIONS,
    "privileges": privileges.MUTATIONS,
    "readiness": readiness.MUTATIONS,
    "retries": retries.MUTATIONS,
    "rewards": rewards.MUTATIONS,
    "scopes": scopes.MUTATIONS,
    "sealing": sealing.MUTATIONS,
    "signed_tokens": signed_tokens.MUTATIONS,
    "tenants": tenants.MUTATIONS,
    "timeouts": timeouts.MUTATIONS,
    "vendors": vendors.MUTATIONS,
}

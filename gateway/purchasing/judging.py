"""What a vendor's answer means. Pure. Decision 0021 argues each line of it."""

from __future__ import annotations

from typing import Any

import orjson

from gateway.purchasing.model import Answer, Issued, Refused, Unsettled, Verdict
from gateway.text import find_forbidden_character
from gateway.vendors.mapping import ResponseMapping, find_value

OK = 200
TEXT_LENGTH_MAX = 512
CLIENT_ERRORS = range(400, 500)

# Refusals of the order itself: the same order gets the same one however often it is asked for.
REFUSALS_OF_ORDER = frozenset({400, 402, 410, 422})
# The vendor did not look at the order, and asks to be asked later.
NOT_NOW = frozenset({425, 429})
# A duplicate, or a request that did not arrive whole: neither says that nothing was issued.
AMBIGUOUS_CLIENT_ERRORS = frozenset({408, 409, 499})
# "Send this request elsewhere": it was not acted on here. Other redirections may follow an action.
REFUSED_REDIRECTIONS = frozenset({307, 308})


def judge(answer: Answer, mapping: ResponseMapping, *, was_uncertain: bool) -> Verdict:
    """Return what an answer proves.

    Once an earlier attempt may have been acted on, only what is said about the order itself counts as a refusal: that the
    gateway is not let in today, or that the address is gone, says nothing about what was bought yesterday.
    """
    status = answer.status
    if status == OK:
        return _read(answer.body, mapping)
    reason = f"it answered with HTTP status {status}"
    if status in REFUSALS_OF_ORDER:
        return Refused(reason)
    if status in NOT_NOW:
        return Unsettled(reason, may_have_issued=False)
    is_refusal = status in CLIENT_ERRORS and status not in AMBIGUOUS_CLIENT_ERRORS
    if (is_refusal or status in REFUSED_REDIRECTIONS) and not was_uncertain:
        return Refused(reason)
    return Unsettled(reason, may_have_issued=True)


def _read(body: bytes | None, mapping: ResponseMapping) -> Verdict:
    try:
        document = orjson.loads(body or b"")
    except ValueError:
        return Unsettled("its answer could not be read", may_have_issued=True)
    if not isinstance(document, dict | list):
        return Unsettled("its answer could not be read", may_have_issued=True)
    found = find_value(mapping.voucher, document)
    voucher = _to_text(found)
    if found is None or voucher == "":
        return Refused("its answer holds no voucher")
    if voucher is None:
        # Something stands there. It may be a voucher that the mapping does not lead to: better asked again than lost.
        return Unsettled("its answer holds something else than a voucher", may_have_issued=True)
    return Issued(
        voucher=voucher,
        valid_till=_to_text(find_value(mapping.valid_till, document)),
        offer_name=_to_text(find_value(mapping.offer_name, document)),
        series_id=_to_text(find_value(mapping.series_id, document)),
    )


def _to_text(value: Any) -> str | None:
    """Return text, or a whole number as text, without white space around it; None for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    if len(text) > TEXT_LENGTH_MAX or find_forbidden_character(text):
        return None
    return text

"""What is known of the request under way: its id, and the facts its log line will carry."""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import dataclass, field

from gateway.access import Caller
from gateway.counters import collect_codes
from gateway.ids import new_id

_REQUEST_ID_PATTERN = re.compile(r"[A-Za-z0-9._-]{1,128}")


@dataclass(slots=True)
class RequestRecord:
    """Facts about one request, gathered on its way and logged once at its end.

    No token, identifier or variable is ever kept here, so that none can reach a log.
    """

    request_id: str
    caller: Caller | None = None
    operation_name: str | None = None
    error_codes: set[str] = field(default_factory=set)
    # Of the answer; 0 until it begins.
    status: int = 0


_current: ContextVar[RequestRecord | None] = ContextVar("gateway_request_record", default=None)


def current_record() -> RequestRecord | None:
    """Return the record of the request under way, or None outside of one."""
    return _current.get()


def start_record(offered_request_id: str | None) -> RequestRecord:
    """Begin the record of a request, under the id the client offered if it is well formed.

    The id is 1–128 characters of letters, digits, dot, underscore and hyphen; anything else is
    replaced by a new one, so that no header can forge a log line.
    """
    is_usable = offered_request_id is not None and _REQUEST_ID_PATTERN.fullmatch(offered_request_id)
    record = RequestRecord(str(offered_request_id) if is_usable else str(new_id()))
    _current.set(record)
    collect_codes(record.error_codes)
    return record

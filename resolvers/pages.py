"""Relay connections over keyset pages: arguments in, edges with stable opaque cursors out.

A cursor is base64url of a version byte, the list's kind, and the key of the row it stands for. It holds no position, so
rows that are added never shift a page.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeAlias, TypeVar
from uuid import UUID

import strawberry

from gateway.errors import FieldError, InvalidInput
from gateway.storage.pages import Page, PageRequest
from resolvers.fields import resolved

PAGE_SIZE_DEFAULT = 20
PAGE_SIZE_MAX = 100
CURSOR_VERSION = b"\x01"
CURSOR_LENGTH_MAX = 200

T = TypeVar("T")
Row = TypeVar("Row")
Key = TypeVar("Key")

First: TypeAlias = Annotated[
    int | None,
    strawberry.argument(
        description="How many to return from the start: 0 to 100; 20 if neither `first` nor `last` is given."
    ),
]
After: TypeAlias = Annotated[
    str | None, strawberry.argument(description="Return what follows this cursor, exclusive.")
]
Last: TypeAlias = Annotated[
    int | None,
    strawberry.argument(
        description="How many to return from the end, instead of `first`: 0 to 100."
    ),
]
Before: TypeAlias = Annotated[
    str | None, strawberry.argument(description="Return what precedes this cursor, exclusive.")
]


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Relay's page information."""

    has_next_page: bool = strawberry.field(description="Whether the list goes on after this page.")
    has_previous_page: bool = strawberry.field(
        description="Whether the list has something before this page."
    )
    start_cursor: str | None = strawberry.field(
        description="Cursor of the first edge; pass it as `before` for the page before."
    )
    end_cursor: str | None = strawberry.field(
        description="Cursor of the last edge; pass it as `after` for the page after."
    )


@strawberry.type(description="One item of a list, with its cursor.")
class Edge(Generic[T]):
    """Relay's edge."""

    node: T = strawberry.field(description="The item.")
    cursor: str = strawberry.field(description="Opaque place of the item; stays valid for ever.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[T]):
    """Relay's connection; the total is counted only if asked for."""

    edges: list[Edge[T]] = strawberry.field(description="The items of this page, in order.")
    page_info: PageInfo = strawberry.field(description="Where this page stands in the list.")
    count: strawberry.Private[Callable[[], Awaitable[int]]]

    @resolved(
        "How many items the whole list has. Counted only if asked for: leave it out of hot pages."
    )
    async def total_count(self) -> int:
        """Count the list."""
        return await self.count()


@dataclass(frozen=True, slots=True)
class CursorKind(Generic[Key]):
    """How the keys of one list are written into cursors; `name` keeps one list's cursors out of another."""

    name: bytes
    encode_key: Callable[[Key], bytes]
    decode_key: Callable[[bytes], Key]

    def encode(self, key: Key) -> str:
        """Return the cursor of the row with this key."""
        text = CURSOR_VERSION + self.name + b":" + self.encode_key(key)
        return base64.urlsafe_b64encode(text).rstrip(b"=").decode()

    def decode(self, cursor: str) -> Key | None:
        """Return the key in a cursor, or None if it is not one of this list."""
        prefix = CURSOR_VERSION + self.name + b":"
        if len(cursor) > CURSOR_LENGTH_MAX:
            return None
        try:
            text = base64.b64decode(
                cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True
            )
            key = self.decode_key(text.removeprefix(prefix)) if text.startswith(prefix) else None
        except (ValueError, binascii.Error):
            return None
        # Unused low bits would give one place several spellings: only the one we hand out is taken.
        return key if key is not None and self.encode(key) == cursor else None


def id_cursor(name: bytes) -> CursorKind[UUID]:
    """Return the cursors of a list that is ordered by id."""
    return CursorKind(name, lambda key: key.bytes, lambda text: UUID(bytes=text))


def read_page_request(
    kind: CursorKind[Key],
    first: int | None,
    after: str | None,
    last: int | None = None,
    before: str | None = None,
) -> PageRequest[Key]:
    """Turn Relay's four arguments into a page request.

    Raises:
        InvalidInput: every argument that breaks a rule, by name.
    """
    errors: list[FieldError] = []
    if first is not None and last is not None:
        errors.append(FieldError(("last",), "exclusive", "Give first or last, not both."))
    for name, size in (("first", first), ("last", last)):
        if size is not None and not 0 <= size <= PAGE_SIZE_MAX:
            message = f"{name} must be from 0 to {PAGE_SIZE_MAX}; it is {size}."
            errors.append(FieldError((name,), "range", message))
    keys: dict[str, Key | None] = {}
    for name, cursor in (("after", after), ("before", before)):
        keys[name] = None if cursor is None else kind.decode(cursor)
        if cursor is not None and keys[name] is None:
            message = f"{name} must be a cursor that this list handed out."
            errors.append(FieldError((name,), "cursor", message))
    if errors:
        raise InvalidInput(errors)
    size = last if last is not None else first if first is not None else PAGE_SIZE_DEFAULT
    return PageRequest(size, keys["after"], keys["before"], backwards=last is not None)


def to_connection(
    page: Page[Row],
    to_node: Callable[[Row], T],
    to_cursor: Callable[[Row], str],
    count: Callable[[], Awaitable[int]],
) -> Connection[T]:
    """Return a page of rows as a connection."""
    edges: list[Edge[Any]] = [Edge(node=to_node(row), cursor=to_cursor(row)) for row in page.items]
    return Connection(
        edges=edges,
        page_info=PageInfo(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        ),
        count=count,
    )

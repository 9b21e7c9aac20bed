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
    """Relay's page information; cursors are written if they are asked for."""

    page: strawberry.Private[Page[Any]]
    to_cursor: strawberry.Private[Callable[[Any], str]]

    @resolved("Whether the list goes on after this page.")
    def has_next_page(self) -> bool:
        """Say what the page knows."""
        return self.page.has_next

    @resolved("Whether the list has something before this page.")
    def has_previous_page(self) -> bool:
        """Say what the page knows."""
        return self.page.has_previous

    @resolved("Cursor of the first edge; pass it as `before` for the page before.")
    def start_cursor(self) -> str | None:
        """Write the cursor."""
        return self.to_cursor(self.page.items[0]) if self.page.items else None

    @resolved("Cursor of the last edge; pass it as `after` for the page after.")
    def end_cursor(self) -> str | None:
        """Write the cursor."""
        return self.to_cursor(self.page.items[-1]) if self.page.items else None


@strawberry.type(description="One item of a list, with its cursor.")
class Edge(Generic[T]):
    """Relay's edge."""

    row: strawberry.Private[Any]
    to_cursor: strawberry.Private[Callable[[Any], str]]

    node: T = strawberry.field(description="The item.")

    def __init__(self, row: Any, to_cursor: Callable[[Any], str], node: T) -> None:
        """Keep what the list has; by position, which is twice as fast as the names that Strawberry's own would want."""
        self.row = row
        self.to_cursor = to_cursor
        self.node = node

    @resolved("Opaque place of the item; stays valid for ever.")
    def cursor(self) -> str:
        """Write the cursor."""
        return self.to_cursor(self.row)


@strawberry.type(description="One page of a list.")
class Connection(Generic[T]):
    """Relay's connection; of what is not asked for nothing is made, and the total is not counted."""

    page: strawberry.Private[Page[Any]]
    to_node: strawberry.Private[Callable[[Any], Any]]
    to_cursor: strawberry.Private[Callable[[Any], str]]
    count: strawberry.Private[Callable[[], Awaitable[int]]]

    @resolved("The items of this page, in order.")
    def edges(self) -> list[Edge[T]]:
        """Make the items' GraphQL types."""
        to_node, to_cursor = self.to_node, self.to_cursor
        return [Edge(row, to_cursor, to_node(row)) for row in self.page.items]

    @resolved("Where this page stands in the list.")
    def page_info(self) -> PageInfo:
        """Say what the page knows."""
        return PageInfo(page=self.page, to_cursor=self.to_cursor)

    @resolved(
        "How many items the whole list has, counted up to 100,000; longer ones say 100,000 too. Counted only if asked for: "
        "leave it out of hot pages."
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
    return Connection(page=page, to_node=to_node, to_cursor=to_cursor, count=count)

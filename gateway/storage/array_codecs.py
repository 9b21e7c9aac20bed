"""How arrays travel: the columns of many rows as `unnest` takes them, each made in one go.

The driver's own codec asks of every element whether it is a list, by two look-ups among abstract classes: three quarters of
what an element costs, and a third of a large batch's time in Python (docs/decisions/0031-arrays-in-one-go.md). One dimension only, which is all that we use.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from gateway.ids import to_uuid

_HEADER = struct.Struct(">iiIii")
_LENGTH = struct.Struct(">i")
_NULL = _LENGTH.pack(-1)
_UUID_LENGTH = _LENGTH.pack(16)
_INTEGER = struct.Struct(">ii")
_BIGINT = struct.Struct(">iq")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_JSON_VERSION = b"\x01"


@dataclass(frozen=True, slots=True)
class ArrayCodec:
    """An array type: its name and number, its elements' number, how many are written at once, and how one is read.

    The numbers are those of PostgreSQL's catalog, which never change.
    """

    name: str
    oid: int
    element_oid: int
    write_elements: Callable[[Sequence[Any]], bytes]
    read_element: Callable[[bytes], Any]

    def encode(self, values: Collection[Any]) -> bytes:
        """Return the array as PostgreSQL receives it.

        Raises:
            TypeError: the values are text, or of another type than the array's.
        """
        if isinstance(values, str | bytes):
            message = f"not the elements of {self.name}: {values!r}"
            raise TypeError(message)
        if not isinstance(values, list | tuple):
            values = list(values)
        count = len(values)
        header = _HEADER.pack(1, 1, self.element_oid, count, 1)
        # Often a batch's elements are all the same, or none is there.
        if count > 1 and values[0] == values[-1] and values.count(values[0]) == count:
            return header + self.write_elements(values[:1]) * count
        return header + self.write_elements(values)

    def decode(self, data: bytes) -> list[Any]:
        """Return the elements of an array as PostgreSQL sent it."""
        data = bytes(data)
        (dimension_count,) = _LENGTH.unpack_from(data)
        if dimension_count == 0:
            return []
        if dimension_count > 1:
            message = f"{self.name} has {dimension_count} dimensions"
            raise ValueError(message)
        place, values = _HEADER.size, []
        for _ in range(_HEADER.unpack_from(data)[3]):
            (length,) = _LENGTH.unpack_from(data, place)
            place += _LENGTH.size
            values.append(None if length < 0 else self.read_element(data[place : place + length]))
            place += max(0, length)
        return values


def _write_uuids(values: Iterable[UUID | None]) -> bytes:
    return b"".join([_NULL if value is None else _UUID_LENGTH + value.bytes for value in values])


def _write_integers(values: Iterable[int | None]) -> bytes:
    pack = _INTEGER.pack
    return b"".join([_NULL if value is None else pack(4, value) for value in values])


def _write_bigints(values: Iterable[int | None]) -> bytes:
    pack = _BIGINT.pack
    return b"".join([_NULL if value is None else pack(8, value) for value in values])


def _write_texts(values: Iterable[str | None]) -> bytes:
    return _write_byte_strings([None if value is None else value.encode() for value in values])


def _write_byte_strings(values: Iterable[bytes | None]) -> bytes:
    pack = _LENGTH.pack
    return b"".join([_NULL if value is None else pack(len(value)) + value for value in values])


def _write_documents(values: Iterable[str | None]) -> bytes:
    return _write_byte_strings([None if value is None else encode_json(value) for value in values])


def _write_times(values: Sequence[datetime | None]) -> bytes:
    # Most of a batch's times are the same.
    written = {value: _write_time(value) for value in set(values)}
    return b"".join([written[value] for value in values])


def _write_time(value: datetime | None) -> bytes:
    return _NULL if value is None else _BIGINT.pack(8, (value - _EPOCH) // _MICROSECOND)


def encode_json(text: str) -> bytes:
    """Return JSON text as `jsonb` is received."""
    return _JSON_VERSION + text.encode()


def decode_json(data: bytes) -> Any:
    """Return the value of a `jsonb` as it was sent."""
    return orjson.loads(bytes(data)[1:])


CODECS = (
    ArrayCodec("uuid[]", 2951, 2950, _write_uuids, to_uuid),
    ArrayCodec("int4[]", 1007, 23, _write_integers, lambda data: int.from_bytes(data, signed=True)),
    ArrayCodec("int8[]", 1016, 20, _write_bigints, lambda data: int.from_bytes(data, signed=True)),
    ArrayCodec("text[]", 1009, 25, _write_texts, bytes.decode),
    ArrayCodec("bytea[]", 1001, 17, _write_byte_strings, bytes),
    ArrayCodec("jsonb[]", 3807, 3802, _write_documents, decode_json),
    ArrayCodec(
        "timestamptz[]",
        1185,
        1184,
        _write_times,
        lambda data: _EPOCH + int.from_bytes(data, signed=True) * _MICROSECOND,
    ),
)


async def use_codecs(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """Let the connection write and read JSON as text made by `to_json` and as Python values, and arrays by these codecs.

    asyncpg's public method refuses array types, so its inner one is called, as that method itself does for the others.
    """
    await connection.set_type_codec(
        "jsonb", encoder=encode_json, decoder=decode_json, schema="pg_catalog", format="binary"
    )
    settings = connection._protocol.get_settings()  # type: ignore[attr-defined]
    for codec in CODECS:
        settings.add_python_codec(
            codec.oid,
            codec.name,
            "pg_catalog",
            [],
            "scalar",
            codec.encode,
            codec.decode,
            "binary",
        )

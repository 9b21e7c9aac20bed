"""Heads outside the database: appended to a file as lines of JSON, and read back."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from gateway.chain.model import Head, Header, Position, Positions


class UnreadableHead(Exception):
    """A text is no head; the message is one line for a person."""


@dataclass(slots=True)
class HeadsFile:
    """Appends heads to a file, which other processes may append to as well."""

    path: Path

    def publish(self, heads: list[Head]) -> None:
        """Append a line for each head, and return when the disk has them.

        Raises:
            OSError: the file cannot be written.
        """
        # Each on a line of its own, also where an earlier write was cut off by a full disk.
        text = b"".join(b"\n" + orjson.dumps(head_to_json(head)) for head in heads) + b"\n"
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            # At once, so that lines of two processes do not mix.
            written = os.write(descriptor, text)
            if written < len(text):
                raise OSError(errno.ENOSPC, "not all heads could be written", str(self.path))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@dataclass(slots=True)
class Published:
    """The heads of a file, by tenant and number; of a number that was published twice, each that differs.

    `unreadable_lines` are those that are no heads: cut off while they were written, or changed.
    """

    heads: dict[UUID, dict[int, list[Head]]] = field(default_factory=dict)
    unreadable_lines: list[int] = field(default_factory=list)

    def add(self, head: Head) -> None:
        """Take a head in."""
        same = self.heads.setdefault(head.header.tenant_id, {}).setdefault(head.header.number, [])
        if head not in same:
            same.append(head)


def read_heads(path: Path) -> Published:
    """Return the heads in a file.

    Raises:
        UnreadableHead: no line is a head; the message names the first.
        OSError: the file cannot be read.
    """
    published = Published()
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.isspace():
                continue
            try:
                published.add(head_from_json(orjson.loads(line)))
            except (UnreadableHead, orjson.JSONDecodeError):
                published.unreadable_lines.append(number)
    if published.unreadable_lines and not published.heads:
        raise UnreadableHead(f"{path}, line {published.unreadable_lines[0]}: this is no head.")
    return published


def head_to_json(head: Head) -> dict[str, Any]:
    """Return a head as JSON values."""
    header = head.header
    return {
        "form": header.form,
        "tenantId": str(header.tenant_id),
        "number": header.number,
        "previous": header.previous.hex(),
        "until": [[position.written_in, str(position.id)] for position in header.until],
        "factCount": header.fact_count,
        "root": header.root.hex(),
        "madeAt": header.made_at.isoformat(),
        "keyId": header.key_id,
        "tag": head.tag.hex(),
        "signature": head.signature.hex(),
    }


def head_from_json(value: Mapping[str, Any]) -> Head:
    """Return the head that JSON values stand for.

    Raises:
        UnreadableHead: they stand for none.
    """
    try:
        until = Positions(*(Position(int(number), UUID(id_)) for number, id_ in value["until"]))
        header = Header(
            tenant_id=UUID(value["tenantId"]),
            number=int(value["number"]),
            previous=bytes.fromhex(value["previous"]),
            until=until,
            fact_count=int(value["factCount"]),
            root=bytes.fromhex(value["root"]),
            made_at=datetime.fromisoformat(value["madeAt"]),
            key_id=str(value["keyId"]),
            form=int(value["form"]),
        )
        return Head(header, bytes.fromhex(value["tag"]), bytes.fromhex(value["signature"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableHead("This is no head.") from error

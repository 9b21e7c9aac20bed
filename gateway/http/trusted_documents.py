"""Documents that the operator trusts: clients ask for them by id, and where nothing else is allowed, only for them.

They come from the manifest that a client's build writes: either one JSON object of ids and documents, as GraphQL Code Generator
and the Relay compiler write it, or an Apollo manifest with its list of operations. Every document also answers to the SHA-256
of its text, `sha256:` and 64 hexadecimal digits, which needs no agreement with the server.

Source: https://graphql.github.io/graphql-over-http/draft/, Appendix A: Persisted Documents.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson

from gateway.http.refusals import RequestRefused


class InvalidManifest(Exception):
    """The manifest cannot be read, or has something in it that is no document; the message is one line for a person."""


class TrustedDocuments:
    """The trusted documents by id. An id that nobody knows, and where only these may run any other document, is refused."""

    def __init__(
        self, documents: Mapping[str, str] | None = None, *, is_exclusive: bool = False
    ) -> None:
        """Take documents by the ids of their manifest; `is_exclusive` if no other document may run."""
        self._is_exclusive = is_exclusive
        self._by_id = dict(documents or {})
        self.texts = frozenset(self._by_id.values())
        self._by_id |= {_sha256_id(text): text for text in self.texts}

    @classmethod
    def read(cls, path: Path | None, *, is_exclusive: bool = False) -> TrustedDocuments:
        """Read a manifest; without a path no document is trusted.

        Raises:
            InvalidManifest: it cannot be read, or is not one.
        """
        if path is None:
            return cls(is_exclusive=is_exclusive)
        try:
            manifest = orjson.loads(path.read_bytes())
        except OSError as error:
            raise InvalidManifest(f"{path} cannot be read: {error.strerror}.") from error
        except orjson.JSONDecodeError as error:
            raise InvalidManifest(f"{path} is not JSON: {error}.") from error
        documents: dict[str, str] = {}
        for document_id, text in _read_pairs(path, manifest):
            if not (isinstance(document_id, str) and document_id and isinstance(text, str)):
                raise InvalidManifest(f"{path}: an id and a document must be text.")
            if documents.get(document_id, text) != text:
                raise InvalidManifest(f"{path}: the id {document_id} names two documents.")
            documents[document_id] = text
        return cls(documents, is_exclusive=is_exclusive)

    def find(self, document_id: str) -> str:
        """Return the document of an id.

        Raises:
            RequestRefused: nobody knows the id.
        """
        text = self._by_id.get(document_id)
        if text is None:
            raise RequestRefused(
                HTTPStatus.BAD_REQUEST,
                "DOCUMENT_NOT_FOUND",
                "`documentId` is not the id of a trusted document.",
            )
        return text

    def check(self, text: str) -> str:
        """Return a document that a client sent whole, if it may run.

        Raises:
            RequestRefused: only trusted documents may run, and it is none.
        """
        if self._is_exclusive and text not in self.texts:
            raise RequestRefused(
                HTTPStatus.BAD_REQUEST,
                "DOCUMENT_NOT_TRUSTED",
                "Only trusted documents may run here: send the `documentId` of one.",
            )
        return text


def _read_pairs(path: Path, manifest: Any) -> Iterator[tuple[Any, Any]]:
    """Return the ids and documents of a manifest of either form."""
    if not isinstance(manifest, dict):
        raise InvalidManifest(f"{path} must be a JSON object of ids and documents.")
    operations = manifest.get("operations")
    if not isinstance(operations, list):
        yield from manifest.items()
        return
    for operation in operations:
        if not isinstance(operation, dict):
            raise InvalidManifest(
                f"{path}: every one of `operations` must have an `id` and a `body`."
            )
        yield operation.get("id"), operation.get("body")


def _sha256_id(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"

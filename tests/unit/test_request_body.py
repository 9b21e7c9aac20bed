"""What is read of a body, and what of an anonymous document is looked at."""

from __future__ import annotations

from http import HTTPStatus

import pytest
from starlette.types import Message

from gateway.http.anonymous import check_anonymous
from gateway.http.body_budget import BodyBudget
from gateway.http.headers import Headers
from gateway.http.refusals import RequestRefused
from gateway.http.request_body import read_json_body

BODY_BYTES_MAX = 10_000


class Pieces:
    """A client that sends pieces of a thousand bytes for ever."""

    def __init__(self) -> None:
        self.count = 0

    async def receive(self) -> Message:
        self.count += 1
        return {"type": "http.request", "body": b" " * 1_000, "more_body": True}


async def refuse(headers: Headers, pieces: Pieces) -> RequestRefused:
    given = {b"content-type": b"application/json", **headers}
    with pytest.raises(RequestRefused) as refusal:
        await read_json_body(
            given, pieces.receive, BODY_BYTES_MAX, BodyBudget(BODY_BYTES_MAX), "tenant"
        )
    return refusal.value


async def test_body_whose_length_is_too_large_is_not_read() -> None:
    pieces = Pieces()
    refusal = await refuse({b"content-length": b"10001"}, pieces)
    assert refusal.status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert pieces.count == 0


async def test_body_is_read_no_further_than_the_first_piece_beyond_the_limit() -> None:
    pieces = Pieces()
    refusal = await refuse({}, pieces)
    assert refusal.status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert pieces.count == 11


def test_anonymous_document_has_a_bounded_number_of_tokens() -> None:
    fields = 998
    check_anonymous("{" + " __typename" * fields + "}", introspection_allowed=False)
    with pytest.raises(RequestRefused) as refusal:
        check_anonymous("{" + " __typename" * (fields + 1) + "}", introspection_allowed=False)
    assert refusal.value.status is HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize(
    "document",
    [
        "{ members { totalCount } }",
        "{ __typename __schema { types { name } } }",
        "{ ... { __typename } }",
        "{ __typename } fragment unused on Query { __typename }",
        "{ __typename } query more { me { id } }",
        "{ __typename",
    ],
)
def test_anonymous_document_asks_for_nothing_but_whether_there_is_an_answer(document: str) -> None:
    check_anonymous("{ __typename }", introspection_allowed=False)
    with pytest.raises(RequestRefused) as refusal:
        check_anonymous(document, introspection_allowed=False)
    assert refusal.value.status is HTTPStatus.UNAUTHORIZED

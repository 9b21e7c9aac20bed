"""One table turns domain errors into union members; what has no row stays a top-level error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
import strawberry
from strawberry.tools import create_type

from gateway import errors as domain
from gateway.errors import ErrorCode, RewardsError
from gateway.ids import new_id
from gateway.operations.model import IdempotencyConflict, OperationKind, Request, RequestInProgress
from resolvers import errors
from resolvers.error_table import ANSWERS, error_handlers, to_error
from resolvers.errors import Error
from resolvers.fields import resolved
from resolvers.scalars import SCALARS

MISSING = domain.FieldError(
    ("input", "rewards", "3", "xpReward"), "required", "xpReward is required."
)
QUERY = """{ act { __typename ... on Error { code message path httpStatus }
  ... on InvalidInput { fieldErrors { path rule message } } ... on IdempotencyConflict { differingFields } } }"""


@strawberry.type(description="It went well.")
class Done:
    """A payload."""

    ok: bool = strawberry.field(description="Yes.")


Outcome = Annotated[
    Done | errors.InvalidInput | errors.NotFound | errors.Conflict | errors.IdempotencyConflict,
    strawberry.union("Outcome", description="What became of it."),
]


async def act(raised: Exception) -> Any:
    """Run a field that raises, and return the result."""

    @resolved("Raise.", name="act")
    async def act() -> Outcome:
        raise raised

    schema = strawberry.Schema(
        query=create_type("Query", [act]),
        config=strawberry.schema.config.StrawberryConfig(scalar_map=SCALARS),
        exception_handlers=error_handlers(),
    )
    return await schema.execute(QUERY)


async def test_error_is_answered_as_the_member_of_the_union() -> None:
    result = await act(domain.NotFound("No such member.", ("input", "member")))
    assert result.errors is None
    assert result.data["act"] == {
        "__typename": "NotFound",
        "code": "NOT_FOUND",
        "message": "No such member.",
        "path": ["input", "member"],
        "httpStatus": 404,
    }


@pytest.mark.requirement("MON-3")
async def test_every_broken_rule_is_answered() -> None:
    result = await act(domain.InvalidInput([MISSING, MISSING]))
    assert result.data["act"]["__typename"] == "InvalidInput"
    assert (
        result.data["act"]["fieldErrors"]
        == [
            {
                "path": ["input", "rewards", "3", "xpReward"],
                "rule": "required",
                "message": "xpReward is required.",
            }
        ]
        * 2
    )


@pytest.mark.requirement("OWN-7")
async def test_conflict_names_the_differing_fields() -> None:
    request = Request(OperationKind.GRANT_REWARD, "ref-1", {}, new_id())
    result = await act(IdempotencyConflict(request, ("amount", "member")))
    assert result.data["act"]["differingFields"] == ["amount", "member"]
    assert result.data["act"]["httpStatus"] == 409


async def test_subclass_is_answered_as_its_base() -> None:
    class NoSuchPool(domain.NotFound):
        pass

    result = await act(NoSuchPool("No such pool."))
    assert result.data["act"]["__typename"] == "NotFound"


@pytest.mark.requirement("OWN-1")
@pytest.mark.parametrize(
    "error",
    [
        domain.Forbidden("No."),
        domain.Unauthenticated("Who?"),
        # In the table, but not in this union.
        RequestInProgress("Still running."),
        ValueError("a fault"),
    ],
)
async def test_anything_else_is_a_top_level_error(error: Exception) -> None:
    result = await act(error)
    assert result.data is None
    assert [found.original_error for found in result.errors] == [error]


def test_error_without_a_row_rises() -> None:
    with pytest.raises(domain.Forbidden):
        to_error(domain.Forbidden("No."))


def test_every_expected_failure_has_a_row_or_is_top_level() -> None:
    top_level = {domain.Forbidden, domain.Unauthenticated}
    covered = {
        error
        for error in subclasses(RewardsError)
        if any(base in ANSWERS or base in top_level for base in error.__mro__)
    }
    left = {error.__name__ for error in subclasses(RewardsError) - covered}
    # The ledger's own words: use cases translate them.
    assert left <= {"BalanceTooLow", "BalanceTooHigh", "HoldEnded"}


def subclasses(base: type[Any]) -> set[type[Any]]:
    def walk(parent: type[Any]) -> Iterator[type[Any]]:
        for child in parent.__subclasses__():
            if child.__module__.startswith("gateway."):
                yield child
                yield from walk(child)

    return set(walk(base))


def test_every_code_has_a_status() -> None:
    assert all(400 <= code.http_status < 600 for code in ErrorCode)


def test_every_answer_is_an_error() -> None:
    assert all(issubclass(answer, Error) for answer, _ in ANSWERS.values())

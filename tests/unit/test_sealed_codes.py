"""Codes as they are kept and masked: what tells two of them apart, and how much of one is shown."""

from __future__ import annotations

from uuid import UUID

import pytest

from gateway.ids import new_id
from gateway.rewards.codes import mask_code, seal_code
from tests.sealing import KEYS

TENANT_ID, ORGANIZATION_ID = new_id(), new_id()


def index_of(
    code: str, tenant_id: UUID = TENANT_ID, organization_id: UUID = ORGANIZATION_ID
) -> bytes:
    return seal_code(KEYS, tenant_id, organization_id, new_id(), code).index


def test_index_is_of_one_organizations_code_however_it_is_spelled() -> None:
    assert index_of("Spring-1") == index_of(" SPRING-1 ") == index_of("ＳＰＲＩＮＧ-1")
    assert index_of("SPRING-1") != index_of("SPRING-2")
    assert index_of("SPRING-1") != index_of("SPRING-1", tenant_id=new_id())
    assert index_of("SPRING-1") != index_of("SPRING-1", organization_id=new_id())


@pytest.mark.parametrize(
    ("code", "masked"),
    [
        ("ABCDEFGHIJKLMNOP", "••••MNOP"),
        ("ABCDEFGHIJKL", "••••IJKL"),
        ("ABCDEF", "••••EF"),
        ("ABC", "••••C"),
        ("AB", "••••"),
    ],
)
def test_mask_shows_no_more_than_a_third_and_four_characters(code: str, masked: str) -> None:
    assert mask_code(code) == masked

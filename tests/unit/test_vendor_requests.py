"""What a vendor is sent, and where its answer is read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.purchasing.client import _read
from gateway.vendors.mapping import ResponseMapping, find_value
from gateway.vendors.template import check_template, mask_template, render

pytestmark = pytest.mark.requirement("CAP-5")

PATH = ("input", "requestTemplate")
VALUES = {"orderId": "o-1", "quantity": 3, "offerName": "{orderId}", "memberExternalId": None}


@pytest.mark.parametrize(
    ("template", "rendered"),
    [
        ("{orderId}", "o-1"),
        ("{quantity}", 3),
        ("{quantity} pieces of {orderId}", "3 pieces of o-1"),
        ("{memberExternalId}", None),
        ("customer {memberExternalId}.", "customer ."),
        # A value is never taken for a template.
        ("{offerName}", "{orderId}"),
        ("a {offerName}", "a {orderId}"),
        ("{}", "{}"),
        ("{order id}", "{order id}"),
        ({"{orderId}": ["{orderId}", 1, None, True]}, {"{orderId}": ["o-1", 1, None, True]}),
    ],
)
def test_placeholders_are_replaced_once(template: Any, rendered: Any) -> None:
    assert render(template, VALUES) == rendered


@pytest.mark.parametrize(
    ("template", "rule"),
    [
        ([], "object"),
        ({}, "order_id"),
        ({"order": "orderId"}, "order_id"),
        ({"{orderId}": "key"}, "order_id"),
        ({"order": "{orderId}", "member": "{__class__}"}, None),
        ({"order": "{orderId}", "member": "{orderid}"}, "placeholder"),
        ({"order": "{orderId}", "text": "\x00"}, "json"),
        ({"order": "{orderId}", "number": float("nan")}, "json"),
        ({"order": "{orderId}", "text": "x" * 20_000}, "size"),
    ],
)
def test_broken_template_is_refused(template: Any, rule: str | None) -> None:
    rules = [error.rule for error in check_template(template, PATH)]
    assert rules == ([rule] if rule else [])


DOCUMENT = {"data": {"items": [{"code": "A"}, {"code": "B"}], "x-code": "C"}, "n": 1}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("data.items[0].code", "A"),
        ("data.items[-1].code", "B"),
        ('data."x-code"', "C"),
        ("n", 1),
        ("data.items[7].code", None),
        ("data.nothing.code", None),
        ("n.code", None),
    ],
)
def test_path_leads_to_its_value(path: str, value: object) -> None:
    assert ResponseMapping(path).check(("input",)) == []
    assert find_value(path, DOCUMENT) == value


@pytest.mark.parametrize(
    "path",
    [
        "",
        "data.",
        "data..code",
        "$.data",
        "data[*].code",
        "data.*",
        "data.items[]",
        "data.items[?code=='A']",
        "data | code",
        "length(data)",
        "[code, code]",
        "{a: code}",
        "`1`",
        "a\x00",
        '"\ud800"',
        "a" * 257,
        "[@,@][]|[@,@][]",
    ],
)
def test_anything_but_plain_steps_is_refused(path: str) -> None:
    (error,) = ResponseMapping("code", valid_till=path).check(("input", "responseMapping"))
    assert (error.path, error.rule) == (("input", "responseMapping", "validTill"), "path")


def test_template_is_shown_without_what_may_be_a_secret() -> None:
    template = {
        "key": "s3cret",
        "order": "{orderId}",
        "header": "Bearer s3cret {memberId}",
        "pin": 1234,
        "deep": [{"a": "s3cret"}, True, None, "", "{quantity}{offerName}"],
    }
    assert mask_template(template) == {
        "key": "••••",
        "order": "{orderId}",
        "header": "••••{memberId}",
        "pin": "••••",
        "deep": [{"a": "••••"}, True, None, "", "{quantity}{offerName}"],
    }


class LongAnswer:
    """A vendor's answer of ten pieces, more than any voucher has."""

    def __init__(self) -> None:
        self.count = 0

    async def aiter_stream(self) -> AsyncIterator[bytes]:
        for _ in range(10):
            self.count += 1
            yield b" " * 65_536


async def test_answer_is_read_no_further_than_any_voucher_goes() -> None:
    answer = LongAnswer()
    assert await _read(answer) is None  # type: ignore[arg-type]  # the part of a response that is read
    assert answer.count == 5

"""What a vendor is sent, where its answer is read, and how its secret is kept."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from gateway.vendors.mapping import ResponseMapping, find_value
from gateway.vendors.secrets import SecretBox, SecretUnreadable, load_own_key
from gateway.vendors.template import check_template, render

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


def test_sealed_secret_opens_in_its_place_only() -> None:
    box, place = SecretBox(bytes(32)), b"vendor-1"
    sealed = box.seal("s3cret", place)
    assert box.open(sealed, place) == "s3cret"
    assert b"s3cret" not in sealed
    assert box.seal("s3cret", place) != sealed
    damaged = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for wrong in [
        lambda: box.open(sealed, b"vendor-2"),
        lambda: box.open(damaged, place),
        lambda: SecretBox(bytes(31) + b"1").open(sealed, place),
        lambda: box.open(b"short", place),
        lambda: box.open(b"", place),
    ]:
        with pytest.raises(SecretUnreadable):
            wrong()


def test_key_has_256_bits() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        SecretBox(b"short")


def test_fingerprint_depends_on_the_key() -> None:
    box = SecretBox(bytes(32))
    assert box.fingerprint("a") == box.fingerprint("a") != box.fingerprint("b")
    assert box.fingerprint("a") != SecretBox(bytes(31) + b"1").fingerprint("a")


def test_box_without_key_keeps_nothing() -> None:
    box = SecretBox(None)
    assert not box.has_key
    with pytest.raises(SecretUnreadable):
        box.open(SecretBox(bytes(32)).seal("s3cret", b"vendor-1"), b"vendor-1")


def test_own_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    key = load_own_key(folder)
    assert len(key) == 32
    assert load_own_key(folder) == key
    (path,) = folder.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.stat().st_uid == os.getuid()


def test_first_of_two_processes_makes_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load_own_key(tmp_path)
    # As if the other had looked before the first had written.
    with monkeypatch.context() as patch:
        patch.setattr(Path, "exists", lambda _: False)
        assert load_own_key(tmp_path) == first
    assert len(list(tmp_path.iterdir())) == 1

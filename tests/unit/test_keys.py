"""Keys: subkeys by purpose, sealed values that open in their place only, and where the master keys come from."""

import os
import stat
from pathlib import Path
from uuid import UUID

import pytest

from gateway.keys.model import CannotOpen, KeyNotConfigured, Keys, Label, key_id_of, place
from gateway.keys.opening import load_keys
from gateway.keys.own_file import load_own_keys
from gateway.settings import InvalidSetting, Settings

FIRST, SECOND = bytes(range(32)), bytes(range(32, 64))
TENANT, OTHER_TENANT, ROW, OTHER_ROW = (UUID(int=number) for number in range(1, 5))
PLACE = place(TENANT, ROW)


def test_subkeys_are_these_for_ever():
    """Known answers: another derivation would make everything unreadable that was sealed before."""
    keys = Keys([FIRST])
    assert keys.current_id == "dd3004d40245f12f"
    assert (
        keys.derive(Label.VENDOR_SECRETS).hex()
        == "341662dc980b5fdeb1b5e2007f4cfa846842756109bd0e41f5d6651c6a3a3641"
    )
    assert (
        keys.derive(Label.LEDGER_CHAIN).hex()
        == "1cb5f73c158b2ca873bb5ad65174655a283de5fbd9039e9d3fafe3e5064ca6cd"
    )


def test_each_purpose_and_master_key_has_subkeys_of_its_own():
    keys = Keys([FIRST, SECOND])
    subkeys = {keys.derive(label, key_id) for label in Label for key_id in keys.ids}
    assert len(subkeys) == 2 * len(Label)
    assert all(len(subkey) == 32 for subkey in subkeys)
    assert keys.derive(Label.HEAD_SIGNING) == keys.derive(Label.HEAD_SIGNING, keys.current_id)


def test_sealed_value_opens_in_its_place_only():
    keys = Keys([FIRST])
    sealed = keys.seal(Label.COUPON_CODES, b"SUMMER-1", PLACE)
    assert keys.open(Label.COUPON_CODES, sealed, PLACE) == b"SUMMER-1"
    assert b"SUMMER-1" not in sealed
    for elsewhere in [place(TENANT, OTHER_ROW), place(OTHER_TENANT, ROW), place(TENANT), b""]:
        with pytest.raises(CannotOpen):
            keys.open(Label.COUPON_CODES, sealed, elsewhere)
    with pytest.raises(CannotOpen):
        keys.open(Label.VENDOR_SECRETS, sealed, PLACE)


@pytest.mark.parametrize("length", [0, 1, 8, 9, 20, 36])
def test_cut_value_does_not_open(length: int):
    keys = Keys([FIRST])
    with pytest.raises(CannotOpen):
        keys.open(Label.COUPON_CODES, keys.seal(Label.COUPON_CODES, b"x", PLACE)[:length], PLACE)


def test_altered_value_does_not_open():
    keys = Keys([FIRST])
    sealed = keys.seal(Label.COUPON_CODES, b"SUMMER-1", PLACE)
    for index in range(len(sealed)):
        altered = sealed[:index] + bytes([sealed[index] ^ 1]) + sealed[index + 1 :]
        with pytest.raises(CannotOpen):
            keys.open(Label.COUPON_CODES, altered, PLACE)


def test_equal_texts_are_sealed_differently():
    keys = Keys([FIRST])
    sealed = {keys.seal(Label.COUPON_CODES, b"x", PLACE) for _ in range(100)}
    assert len(sealed) == 100


def test_first_key_seals_and_each_opens():
    old, both, new = Keys([FIRST]), Keys([SECOND, FIRST]), Keys([SECOND])
    sealed = old.seal(Label.COUPON_CODES, b"x", PLACE)
    assert key_id_of(sealed) == old.current_id == both.ids[1]
    assert both.open(Label.COUPON_CODES, sealed, PLACE) == b"x"
    assert key_id_of(both.seal(Label.COUPON_CODES, b"x", PLACE)) == new.current_id
    with pytest.raises(KeyNotConfigured, match=f"SECRET_KEYS lacks the key {old.current_id}") as no:
        new.open(Label.COUPON_CODES, sealed, PLACE)
    assert no.value.key_id == old.current_id
    with pytest.raises(KeyNotConfigured):
        new.derive(Label.LEDGER_CHAIN, old.current_id)


def test_hash_depends_on_key_purpose_and_message():
    keys = Keys([FIRST, SECOND])
    hashes = {
        keys.hash(label, message, key_id)
        for label in Label
        for message in (b"a", b"b")
        for key_id in keys.ids
    }
    assert len(hashes) == 4 * len(Label)


def test_master_keys_are_not_shown():
    keys = Keys([FIRST, SECOND])
    shown = f"{keys!r} {vars(keys)}"
    assert FIRST.hex() not in shown
    assert repr(FIRST) not in shown
    assert keys.current_id in repr(keys)


@pytest.mark.parametrize("masters", [[], [b"short"], [FIRST, bytes(33)]])
def test_master_keys_have_256_bits(masters: list[bytes]):
    with pytest.raises(ValueError, match="32 bytes"):
        Keys(masters)


def test_own_file_is_made_once_and_is_private(tmp_path: Path):
    folder = tmp_path / "data"
    settings = Settings(data_dir=folder)
    keys = load_keys(settings)
    assert load_keys(settings).ids == keys.ids
    (path,) = folder.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.stat().st_uid == os.getuid()


def test_first_of_two_processes_makes_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    first = load_own_keys(tmp_path)
    # As if the other had looked before the first had written.
    with monkeypatch.context() as patch:
        patch.setattr(Path, "exists", lambda _: False)
        assert load_own_keys(tmp_path) == first
    assert len(list(tmp_path.iterdir())) == 1


def test_own_file_may_hold_several_keys(tmp_path: Path):
    (tmp_path / "secret.keys").write_text(f"{SECOND.hex()}\n{FIRST.hex()}\n")
    assert load_keys(Settings(data_dir=tmp_path)).ids == Keys([SECOND, FIRST]).ids


@pytest.mark.parametrize("text", ["", "\n", "0a", f"{FIRST.hex()}\nélan", "0a" * 33])
def test_broken_own_file_is_refused_by_name(tmp_path: Path, text: str):
    (tmp_path / "secret.keys").write_text(text)
    with pytest.raises(InvalidSetting, match=r"secret\.keys must be keys of 64 hexadecimal"):
        load_keys(Settings(data_dir=tmp_path))


def test_environment_comes_before_the_file(tmp_path: Path):
    keys = load_keys(Settings(data_dir=tmp_path, secret_keys=(SECOND,)))
    assert keys.ids == Keys([SECOND]).ids
    assert list(tmp_path.iterdir()) == []


def test_configured_database_needs_configured_keys(tmp_path: Path):
    settings = Settings(data_dir=tmp_path, database_url="postgresql://app@db/rewards")
    with pytest.raises(InvalidSetting, match="SECRET_KEYS must be set where DATABASE_URL is"):
        load_keys(settings)
    assert list(tmp_path.iterdir()) == []

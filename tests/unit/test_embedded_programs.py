import importlib.util
import os
import pwd
import subprocess
from pathlib import Path

import pytest

from gateway.storage.embedded_programs import (
    EmbeddedServerFailed,
    hand_over,
    program_path,
    server_user,
)

SOMEONE = pwd.getpwall()[-1]


@pytest.fixture
def as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def test_ordinary_user_runs_the_server_as_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert server_user(tmp_path) is None
    mode = tmp_path.parent.stat().st_mode
    hand_over(tmp_path)
    assert tmp_path.parent.stat().st_mode == mode


@pytest.mark.usefixtures("as_root")
def test_root_makes_the_server_user_where_there_is_none(monkeypatch: pytest.MonkeyPatch):
    commands: list[list[str]] = []

    def find_user(name: str) -> pwd.struct_passwd:
        if not commands:
            raise KeyError(name)
        return SOMEONE

    monkeypatch.setattr(pwd, "getpwnam", find_user)
    monkeypatch.setattr(subprocess, "run", lambda command, **_: commands.append(command))
    assert server_user(Path("/absent")) == SOMEONE
    assert commands == [["useradd", "--system", "--no-create-home", "pgserver"]]


@pytest.mark.usefixtures("as_root")
def test_root_without_useradd_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch):
    def find_nobody(name: str) -> pwd.struct_passwd:
        raise KeyError(name)

    monkeypatch.setattr(pwd, "getpwnam", find_nobody)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EmbeddedServerFailed, match=r"does not run as root.*set DATABASE_URL"):
        server_user(Path("/absent"))


@pytest.mark.usefixtures("as_root")
def test_directory_of_an_unknown_user_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    owned = os.stat_result((0o40700, 0, 0, 1, 54_321, 0, 0, 0, 0, 0))
    monkeypatch.setattr(Path, "exists", lambda _: True)
    monkeypatch.setattr(Path, "stat", lambda _: owned)
    with pytest.raises(EmbeddedServerFailed, match="belongs to user 54321"):
        server_user(tmp_path)


def test_missing_package_is_told_from_a_broken_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(EmbeddedServerFailed, match="not installed; set DATABASE_URL"):
        program_path("postgres")

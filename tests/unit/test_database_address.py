"""Addresses of databases: what is taken, which server is meant, and refusals that repeat no password."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.database_address import DatabaseAddress, InvalidAddress
from gateway.settings import InvalidSetting, Settings


@pytest.mark.parametrize(
    ("text", "servers", "target"),
    [
        ("postgresql://u@h1:1,h2:2/db?target_session_attrs=primary", "h1:1,h2:2/db", "primary"),
        ("postgresql://u@h1:1,h2/db", "h1:1,h2:5432/db", "read-write"),
        ("postgresql://u@h1,h2/db?target_session_attrs=any", "h1:5432,h2:5432/db", "read-write"),
        ("postgres://u:p@h/db", "h:5432/db", "any"),
        ("postgresql://u@[::1]:6000/db", "::1:6000/db", "any"),
        ("postgresql://u@/db?host=a,b&port=1,2", "a:1,b:2/db", "read-write"),
        ("postgresql:///db?host=/run/pg", "/run/pg/.s.PGSQL.5432/db", "any"),
        ("postgresql://u@%2Frun%2Fpg/db", "/run/pg/.s.PGSQL.5432/db", "any"),
        ("postgresql://u@h/db?sslmode=require&passfile=/none", "h:5432/db", "any"),
        ("postgresql://u%40x:p%2F@h/db?application_name=x", "h:5432/db", "any"),
    ],
)
def test_servers_and_database_are_read_as_the_driver_does(text: str, servers: str, target: str):
    address = DatabaseAddress.parse(text)
    assert str(address) == servers
    assert address.target == target
    assert address.url == text
    assert address.connect_timeout_seconds == 5


def test_connect_timeout_is_not_the_drivers():
    address = DatabaseAddress.parse("postgresql://u:a%2Bb@h/db?connect_timeout=2&sslmode=prefer")
    assert address.connect_timeout_seconds == 2
    assert address.url == "postgresql://u:a%2Bb@h/db?sslmode=prefer"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("mysql://u:hunter2@h/db", "must be a PostgreSQL address such as "),
        ("host=h password=hunter2", "must be a PostgreSQL address such as "),
        ("postgresql://u:hunter2@h1,,h2/db", "must be a PostgreSQL address such as "),
        ("postgresql://u:hunter2@:5432/db", "must be a PostgreSQL address such as "),
        ("postgresql://u:hunter2@h:0/db", "must be a PostgreSQL address such as "),
        ("postgresql://u:hunter2@h:65536/db", "must be a PostgreSQL address such as "),
        ("postgresql://u:hunter2@h:port/db", "must be a PostgreSQL address such as "),
        ("postgresql://u:hunter2@[::/db", "must be a PostgreSQL address such as "),
        ("postgresql://u:hunter2@[h/db", "must be a PostgreSQL address such as "),
        ("postgresql://u:hunter2@h/db?sslmode", "must be a PostgreSQL address such as "),
        ("postgresql://u:hunter2@h/db#x", "must be a PostgreSQL address such as "),
        ("postgresql://u:hun@ter2@h/db", "must write @, : and / in its user and password as %40"),
        ("postgresql://u:hunter2@h/db?sslmode=never", "must have a valid sslmode"),
        (
            "postgresql://u:hunter2@h/db?sslmode=verify-full&sslrootcert=/no",
            "must name certificates",
        ),
        (
            "postgresql://u:hunter2@h/db?target_session_attrs=master",
            "must have target_session_attrs=",
        ),
        (
            "postgresql://u:hunter2@h/db?target_session_attrs=standby",
            "must have target_session_attrs=",
        ),
        (
            "postgresql://u:hunter2@/db?host=a,b&port=1,2,3",
            "must have one port, or as many as hosts",
        ),
        (
            "postgresql://u:hunter2@h/db?keepalives_idle=5",
            "must not have the parameter keepalives_idle",
        ),
        (
            "postgresql://u:hunter2@h/db?channel_binding=require",
            "must not have the parameter channel_b",
        ),
        (
            "postgresql://u:hunter2@h/db?connect_timeout=0",
            "must have a connect_timeout from 1 to 60 se",
        ),
        (
            "postgresql://u:hunter2@h/db?connect_timeout=x",
            "must have a connect_timeout from 1 to 60 se",
        ),
    ],
)
def test_refusal_names_variable_and_rule_and_no_password(text: str, rule: str):
    with pytest.raises(InvalidAddress):
        DatabaseAddress.parse(text)
    with pytest.raises(InvalidSetting) as refusal:
        Settings.from_environment({"DATABASE_URL": text})
    message = str(refusal.value)
    assert message.startswith(f"DATABASE_URL {rule}")
    assert "hunter2" not in message
    assert "ter2" not in message


def test_root_certificate_that_verify_full_needs_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PGSSLROOTCERT", raising=False)
    with pytest.raises(InvalidAddress, match=r"^must name an sslrootcert that can be read"):
        DatabaseAddress.parse("postgresql://u@h/db?sslmode=verify-full")

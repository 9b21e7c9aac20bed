from pathlib import Path

import pytest

from gateway.allowance import Allowance
from gateway.settings import InvalidSetting, Settings


def test_empty_environment_gives_the_defaults():
    assert Settings.from_environment({}) == Settings(
        database_url=None,
        migration_database_url=None,
        data_dir=Path("data"),
        host="127.0.0.1",
        port=8000,
        workers=1,
        worker_silence_seconds_max=30,
        development=False,
        log_level="INFO",
        database_pool_size_max=10,
        body_bytes_max=8_388_608,
        lock_timeout_seconds=5.0,
        vendor_allow_loopback=False,
        secret_keys=(),
        trusted_documents=None,
        trusted_documents_only=False,
    )


def test_blank_variable_counts_as_unset():
    assert Settings.from_environment({"PORT": " ", "DATABASE_URL": ""}) == Settings()


def test_every_variable_is_read():
    assert Settings.from_environment(
        {
            "DATABASE_URL": "postgresql://app@db/rewards",
            "MIGRATION_DATABASE_URL": "postgres://owner@db:5433/rewards",
            "DATA_DIR": "/srv/rewards",
            "HOST": "0.0.0.0",  # noqa: S104 - parsed, never listened on
            "PORT": "80",
            "WORKERS": "4",
            "WORKER_SILENCE_SECONDS_MAX": "5",
            "DEVELOPMENT": "Yes",
            "LOG_LEVEL": "debug",
            "DATABASE_POOL_SIZE_MAX": "25",
            "BODY_BYTES_MAX": "1048576",
            "LOCK_TIMEOUT_SECONDS": "0.5",
            "READ_TIMEOUT_SECONDS": "2.5",
            "REQUEST_TIMEOUT_SECONDS": "10",
            "OPERATION_COST_MAX": "1",
            "COST_PER_SECOND": "2",
            "COST_BURST": "3",
            "REQUESTS_IN_FLIGHT_MAX": "4",
            "ANONYMOUS_REQUESTS_PER_SECOND": "5",
            "ANONYMOUS_REQUESTS_BURST": "6",
            "VENDOR_ALLOW_LOOPBACK": "true",
            "SECRET_KEYS": f"{'0A' * 32}, {'0b' * 32}",
        }
    ) == Settings(
        database_url="postgresql://app@db/rewards",
        migration_database_url="postgres://owner@db:5433/rewards",
        data_dir=Path("/srv/rewards"),
        host="0.0.0.0",  # noqa: S104
        port=80,
        workers=4,
        worker_silence_seconds_max=5,
        development=True,
        log_level="DEBUG",
        database_pool_size_max=25,
        body_bytes_max=1_048_576,
        lock_timeout_seconds=0.5,
        read_timeout_seconds=2.5,
        request_timeout_seconds=10,
        allowance=Allowance(1, 2, 3, 4, 5, 6),
        vendor_allow_loopback=True,
        secret_keys=(b"\n" * 32, b"\x0b" * 32),
    )


def test_migrations_use_the_same_database_unless_told_otherwise():
    settings = Settings.from_environment({"DATABASE_URL": "postgresql://app@db/rewards"})
    assert settings.migration_database_url == "postgresql://app@db/rewards"


def test_home_folder_is_understood(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", "/home/someone")
    assert Settings.from_environment({"DATA_DIR": "~/rewards"}).data_dir == Path(
        "/home/someone/rewards"
    )


@pytest.mark.parametrize(
    ("variable", "text", "rule"),
    [
        ("PORT", "65536", "must be a whole number from 0 to 65535"),
        ("PORT", "-1", "must be a whole number from 0 to 65535"),
        ("PORT", "8_000", "must be a whole number from 0 to 65535"),
        ("PORT", "٨٠", "must be a whole number from 0 to 65535"),
        ("PORT", "9" * 5_000, "must be a whole number from 0 to 65535"),
        ("WORKER_SILENCE_SECONDS_MAX", "1", "must be a whole number from 2 to 3600"),
        ("DATABASE_POOL_SIZE_MAX", "0", "must be a whole number from 1 to 1000"),
        ("BODY_BYTES_MAX", "8MiB", "must be a whole number from 1024 to 1073741824"),
        ("DEVELOPMENT", "maybe", "must be true or false"),
        ("LOG_LEVEL", "LOUD", "must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
        ("HOST", "a b", "must be a host name or an IP address"),
        ("LOCK_TIMEOUT_SECONDS", "soon", "must be a number of seconds from 0.001 to 60"),
        ("LOCK_TIMEOUT_SECONDS", "nan", "must be a number of seconds from 0.001 to 60"),
        ("LOCK_TIMEOUT_SECONDS", "0", "must be a number of seconds from 0.001 to 60"),
        ("LOCK_TIMEOUT_SECONDS", "0.0009", "must be a number of seconds from 0.001 to 60"),
        ("READ_TIMEOUT_SECONDS", "60.5", "must be a number of seconds from 0.001 to 60"),
        ("REQUEST_TIMEOUT_SECONDS", "inf", "must be a number of seconds from 0.001 to 600"),
        ("LOCK_TIMEOUT_SECONDS", "61", "must be a number of seconds from 0.001 to 60"),
    ],
)
def test_broken_rule_is_named_with_its_variable(variable: str, text: str, rule: str):
    with pytest.raises(InvalidSetting) as refusal:
        Settings.from_environment({variable: text})
    assert str(refusal.value) == f"{variable} {rule}."


@pytest.mark.parametrize("variable", ["DATABASE_URL", "MIGRATION_DATABASE_URL"])
@pytest.mark.parametrize(
    "text", ["mysql://root:hunter2@db/x", "db/x", "postgresql://db:port/x", "postgresql://[::/x"]
)
def test_refused_database_address_is_not_repeated(variable: str, text: str):
    with pytest.raises(
        InvalidSetting, match=f"^{variable} must be a PostgreSQL address"
    ) as refusal:
        Settings.from_environment({variable: text})
    assert "hunter2" not in str(refusal.value)

"""The environment, read once into one frozen object."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TypeVar

from gateway.allowance import Allowance
from gateway.database_address import DatabaseAddress, InvalidAddress

Value = TypeVar("Value")

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off"})
HEAD_TIMEOUT_SECONDS_MAX = 600.0
BODY_TIMEOUT_SECONDS_MAX = 600.0
LOCK_TIMEOUT_SECONDS_MAX = 60.0
# PostgreSQL counts in milliseconds, and takes none as no time-out at all.
SECONDS_LEAST = 0.001
READ_TIMEOUT_SECONDS_MAX = 60.0
REQUEST_TIMEOUT_SECONDS_MAX = 600.0
ALLOWANCE_MAX = 1_000_000_000
WORKERS_MAX = 64
WORKER_SILENCE_SECONDS_LEAST = 2
WORKER_SILENCE_SECONDS_MOST = 3_600
# Longer than any bound below, and short of the length that int() itself refuses.
DIGITS_MAX = 18

_KEY = re.compile(r"[0-9a-fA-F]{64}")


class InvalidSetting(Exception):
    """An environment variable breaks its rule; the message names both, never the value, which may hold a password."""

    def __init__(self, variable: str, rule: str) -> None:
        """Take the rule worded so that it follows the variable's name."""
        super().__init__(f"{variable} {rule}.")
        self.variable = variable
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Settings:
    """All that can be configured. Without a `database_url` the gateway starts its own PostgreSQL in `data_dir`."""

    database_url: str | None = None
    migration_database_url: str | None = None
    data_dir: Path = Path("data")
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    worker_silence_seconds_max: int = 30
    development: bool = False
    log_level: str = "INFO"
    database_pool_size_max: int = 10
    body_bytes_max: int = 8 * 1024 * 1024
    connections_max: int = 1_000
    head_timeout_seconds: float = 10.0
    body_timeout_seconds: float = 30.0
    lock_timeout_seconds: float = 5.0
    read_timeout_seconds: float = 5.0
    request_timeout_seconds: float = 30.0
    allowance: Allowance = field(default_factory=Allowance)
    vendor_allow_loopback: bool = False
    issuer_allow_loopback: bool = False
    secret_keys: tuple[bytes, ...] = field(default=(), repr=False)
    chain_heads: Path | None = None
    trusted_documents: Path | None = None
    trusted_documents_only: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read every setting; a variable that is unset or blank takes its default.

        Raises:
            InvalidSetting: a variable breaks its rule.
        """

        def read(variable: str, parse: Callable[[str], Value], default: Value) -> Value:
            text = environment.get(variable, "").strip()
            if not text:
                return default
            try:
                return parse(text)
            except _RuleBroken as broken:
                raise InvalidSetting(variable, str(broken)) from None

        # A dataclass with slots keeps no defaults on the class, so they come from an instance.
        default = cls()
        database_url = read("DATABASE_URL", _parse_database_url, default.database_url)
        trusted_documents = read("TRUSTED_DOCUMENTS", _parse_path, default.trusted_documents)
        trusted_documents_only = read(
            "TRUSTED_DOCUMENTS_ONLY", _parse_boolean, default.trusted_documents_only
        )
        if trusted_documents_only and trusted_documents is None:
            raise InvalidSetting(
                "TRUSTED_DOCUMENTS_ONLY", "needs TRUSTED_DOCUMENTS, or nothing could run"
            )
        return cls(
            database_url=database_url,
            migration_database_url=read(
                "MIGRATION_DATABASE_URL", _parse_database_url, database_url
            ),
            data_dir=read("DATA_DIR", _parse_path, default.data_dir),
            host=read("HOST", _parse_host, default.host),
            port=read("PORT", _whole_number(0, 65_535), default.port),
            workers=read("WORKERS", _whole_number(1, WORKERS_MAX), default.workers),
            worker_silence_seconds_max=read(
                "WORKER_SILENCE_SECONDS_MAX",
                _whole_number(WORKER_SILENCE_SECONDS_LEAST, WORKER_SILENCE_SECONDS_MOST),
                default.worker_silence_seconds_max,
            ),
            development=read("DEVELOPMENT", _parse_boolean, default.development),
            log_level=read("LOG_LEVEL", _parse_log_level, default.log_level),
            database_pool_size_max=read(
                "DATABASE_POOL_SIZE_MAX", _whole_number(1, 1_000), default.database_pool_size_max
            ),
            body_bytes_max=read(
                "BODY_BYTES_MAX", _whole_number(1_024, 1024**3), default.body_bytes_max
            ),
            connections_max=read(
                "CONNECTIONS_MAX", _whole_number(1, 100_000), default.connections_max
            ),
            head_timeout_seconds=read(
                "HEAD_TIMEOUT_SECONDS",
                _seconds(HEAD_TIMEOUT_SECONDS_MAX),
                default.head_timeout_seconds,
            ),
            body_timeout_seconds=read(
                "BODY_TIMEOUT_SECONDS",
                _seconds(BODY_TIMEOUT_SECONDS_MAX),
                default.body_timeout_seconds,
            ),
            lock_timeout_seconds=read(
                "LOCK_TIMEOUT_SECONDS",
                _seconds(LOCK_TIMEOUT_SECONDS_MAX),
                default.lock_timeout_seconds,
            ),
            read_timeout_seconds=read(
                "READ_TIMEOUT_SECONDS",
                _seconds(READ_TIMEOUT_SECONDS_MAX),
                default.read_timeout_seconds,
            ),
            request_timeout_seconds=read(
                "REQUEST_TIMEOUT_SECONDS",
                _seconds(REQUEST_TIMEOUT_SECONDS_MAX),
                default.request_timeout_seconds,
            ),
            allowance=Allowance(
                **{
                    bound.name: read(
                        bound.name.upper(),
                        _whole_number(1, ALLOWANCE_MAX),
                        getattr(default.allowance, bound.name),
                    )
                    for bound in fields(Allowance)
                }
            ),
            vendor_allow_loopback=read(
                "VENDOR_ALLOW_LOOPBACK", _parse_boolean, default.vendor_allow_loopback
            ),
            issuer_allow_loopback=read(
                "ISSUER_ALLOW_LOOPBACK", _parse_boolean, default.issuer_allow_loopback
            ),
            secret_keys=read("SECRET_KEYS", _parse_keys, default.secret_keys),
            chain_heads=read("CHAIN_HEADS", _parse_path, default.chain_heads),
            trusted_documents=trusted_documents,
            trusted_documents_only=trusted_documents_only,
        )


class _RuleBroken(Exception):
    """A parser's refusal, worded to follow the variable's name."""


def _parse_database_url(text: str) -> str:
    try:
        DatabaseAddress.parse(text)
    except InvalidAddress as broken:
        raise _RuleBroken(str(broken)) from None
    return text


def _parse_path(text: str) -> Path:
    return Path(text).expanduser()


def _parse_host(text: str) -> str:
    if any(character.isspace() or character == "/" for character in text):
        raise _RuleBroken("must be a host name or an IP address")
    return text


def _whole_number(least: int, most: int) -> Callable[[str], int]:
    """Return a parser of whole numbers between two bounds, both allowed."""

    def parse(text: str) -> int:
        # int() alone would take 1_000, +5 and digits of other scripts.
        if not (
            text.isascii()
            and text.isdigit()
            and len(text) <= DIGITS_MAX
            and least <= int(text) <= most
        ):
            raise _RuleBroken(f"must be a whole number from {least} to {most}")
        return int(text)

    return parse


def _parse_boolean(text: str) -> bool:
    word = text.lower()
    if word not in TRUE_WORDS | FALSE_WORDS:
        raise _RuleBroken("must be true or false")
    return word in TRUE_WORDS


def _parse_log_level(text: str) -> str:
    if text.upper() not in LOG_LEVELS:
        raise _RuleBroken(f"must be one of {', '.join(LOG_LEVELS)}")
    return text.upper()


def parse_secret_keys(source: str, text: str) -> tuple[bytes, ...]:
    """Return the master keys in a text, at least one: 64 hexadecimal digits each, with commas or white space between.

    Raises:
        InvalidSetting: it breaks that rule; the message names the source.
    """
    try:
        return _parse_keys(text)
    except _RuleBroken as broken:
        raise InvalidSetting(source, str(broken)) from None


def _parse_keys(text: str) -> tuple[bytes, ...]:
    words = text.replace(",", " ").split()
    if not words or any(_KEY.fullmatch(word) is None for word in words):
        raise _RuleBroken(
            "must be keys of 64 hexadecimal digits each, such as `openssl rand -hex 32` prints"
        )
    return tuple(bytes.fromhex(word) for word in words)


def _seconds(most: float) -> Callable[[str], float]:
    """Return a parser of numbers of seconds, to the millisecond, up to a bound."""

    def parse(text: str) -> float:
        rule = f"must be a number of seconds from {SECONDS_LEAST:g} to {most:g}"
        try:
            seconds = float(text)
        except ValueError:
            raise _RuleBroken(rule) from None
        # Written so that NaN, which compares false with everything, is refused too.
        if not SECONDS_LEAST <= seconds <= most:
            raise _RuleBroken(rule)
        return seconds

    return parse

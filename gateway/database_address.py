"""The address of a PostgreSQL database, read by the driver's own parser, so that what is accepted here is what it connects to."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import asyncpg
from asyncpg import connect_utils

SCHEMES: Final = ("postgresql", "postgres")
RULE: Final = "must be a PostgreSQL address such as postgresql://user@host:5432/database"
CONNECT_TIMEOUT: Final = "connect_timeout"
# For each of several servers; libpq's parameter `connect_timeout` in the address says otherwise.
CONNECT_TIMEOUT_SECONDS: Final = 5
CONNECT_TIMEOUT_SECONDS_MAX: Final = 60
PORT_MAX: Final = 65_535
# Which of several servers: the gateway writes, so that the others are of no use to it.
TARGETS: Final = ("any", "primary", "read-write")
WRITABLE: Final = "read-write"
# The driver would send what it does not know to the server as a setting, and these are libpq's own.
LIBPQ_PARAMETERS: Final = frozenset(
    {
        "channel_binding",
        "client_encoding",
        "fallback_application_name",
        "gssdelegation",
        "gssencmode",
        "hostaddr",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "load_balance_hosts",
        "replication",
        "require_auth",
        "requirepeer",
        "requiressl",
        "sslcertmode",
        "sslcompression",
        "sslcrldir",
        "sslsni",
    }
)
_NOTHING: Final = dict.fromkeys(
    (
        *("host", "port", "user", "password", "passfile", "database", "ssl", "service"),
        *("servicefile", "direct_tls", "server_settings", "target_session_attrs", "krbsrvname"),
        "gsslib",
    )
)


class InvalidAddress(Exception):
    """The address breaks a rule; the message follows the variable's name and repeats nothing that may be secret."""


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """One database, on one server or on several of which one can be written to."""

    # For the driver; it may hold a password.
    url: str
    # Host and port of each server; a host that begins with a slash is a socket.
    servers: tuple[tuple[str, int], ...]
    database: str
    target: str
    connect_timeout_seconds: int

    @classmethod
    def parse(cls, text: str) -> DatabaseAddress:
        """Read an address as the driver does, with its environment variables such as PGHOST and PGPASSFILE.

        Raises:
            InvalidAddress: the driver could not use it.
        """
        url, seconds = _split(text)
        try:
            # Not in the driver's types; nothing public of it reads an address without connecting.
            read: Any = connect_utils._parse_connect_dsn_and_args  # type: ignore[attr-defined]
            addresses, parameters = read(dsn=url, **_NOTHING)
        except (ssl.SSLError, FileNotFoundError, PermissionError, NotADirectoryError) as error:
            message = (
                "must name certificates and keys (sslrootcert, sslcert, sslkey) that can be read"
            )
            raise InvalidAddress(message) from error
        except asyncpg.ClientConfigurationError as error:
            raise InvalidAddress(_explain(error)) from error
        except (ValueError, LookupError, KeyError) as error:
            raise InvalidAddress(RULE) from error
        target = parameters.target_session_attrs.value
        if target not in TARGETS:
            raise InvalidAddress(
                "must have target_session_attrs=primary or read-write: the gateway writes"
            )
        return cls(
            url,
            tuple(_check_server(to_server(address)) for address in addresses),
            parameters.database,
            WRITABLE if target == "any" and len(addresses) > 1 else target,
            seconds,
        )

    def __str__(self) -> str:
        """Name the servers and the database, without the user and the password."""
        servers = ",".join(
            host if host.startswith("/") else f"{host}:{port}" for host, port in self.servers
        )
        return f"{servers}/{self.database}"


def _split(text: str) -> tuple[str, int]:
    """Return what the driver is given of an address, and for how many seconds to try each server."""
    try:
        parts = urlsplit(text)
        parameters = parse_qsl(
            parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)
        )
    except ValueError as error:
        raise InvalidAddress(RULE) from error
    if parts.scheme not in SCHEMES or parts.fragment or "\0" in text:
        raise InvalidAddress(RULE)
    if parts.netloc.count("@") > 1:
        raise InvalidAddress("must write @, : and / in its user and password as %40, %3A and %2F")
    if unknown := sorted(LIBPQ_PARAMETERS & {name for name, _ in parameters}):
        raise InvalidAddress(f"must not have the parameter {unknown[0]}, which is not supported")
    seconds = CONNECT_TIMEOUT_SECONDS
    for name, value in parameters:
        if name == CONNECT_TIMEOUT:
            seconds = _to_seconds(value)
    others = [(name, value) for name, value in parameters if name != CONNECT_TIMEOUT]
    if len(others) == len(parameters):
        return text, seconds
    return parts._replace(query=urlencode(others)).geturl(), seconds


def _to_seconds(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(PORT_MAX))) or not (
        1 <= int(text) <= CONNECT_TIMEOUT_SECONDS_MAX
    ):
        raise InvalidAddress(
            f"must have a connect_timeout from 1 to {CONNECT_TIMEOUT_SECONDS_MAX} seconds"
        )
    return int(text)


def _explain(error: Exception) -> str:
    """Word the driver's refusal by what it is about: its own words may repeat parts of the address."""
    text = str(error)
    for word, rule in (
        ("sslmode", "must have a valid sslmode, such as require or verify-full"),
        ("root certificate", "must name an sslrootcert that can be read, for this sslmode"),
        ("TLS", "must have a valid TLS version and sslnegotiation"),
        ("sslnegotiation", "must have a valid TLS version and sslnegotiation"),
        (
            "target_session_attrs",
            "must have target_session_attrs=primary or read-write: the gateway writes",
        ),
        ("port numbers", "must have one port, or as many as hosts"),
    ):
        if word in text:
            return rule
    return RULE


def to_server(address: str | tuple[str, int]) -> tuple[str, int]:
    """Return host and port of what the driver connects to; a socket has no port."""
    return (address, 0) if isinstance(address, str) else address


def _check_server(server: tuple[str, int]) -> tuple[str, int]:
    host, port = server
    if not host.startswith("/") and _is_unusable(host, port):
        raise InvalidAddress(RULE)
    return server


def _is_unusable(host: str, port: int) -> bool:
    return not host or not 1 <= port <= PORT_MAX or any(character in host for character in "@/ ")

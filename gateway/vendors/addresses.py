"""Which addresses a vendor may have: https and public, so that nobody reaches into the gateway's own network through one."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import SplitResult, urlsplit

from gateway.errors import FieldError

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

ENDPOINT_LENGTH_MAX = 2048
PORTS = {"https": 443, "http": 80}
# RFC 6052: the last four bytes are an IPv4 address, which may be a private one.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """`allow_loopback` also lets vendors on this very machine be called, over http too: for development and tests."""

    allow_loopback: bool = False

    def permits(self, address: Address) -> bool:
        """Tell whether a connection to this address may be made."""
        address = _unwrap(address)
        if address.is_loopback:
            return self.allow_loopback
        return address.is_global and not address.is_multicast and not address.is_reserved

    def check(self, endpoint: str, path: tuple[str, ...]) -> list[FieldError]:
        """Return the broken rule of an endpoint as written; what its name resolves to is judged with each connection."""
        problem = self._find_problem(endpoint)
        return [FieldError(path, "address", f"{path[-1]} {problem}.")] if problem else []

    def _find_problem(self, endpoint: str) -> str | None:
        parts = _split(endpoint)
        if parts is None or not parts.hostname or parts.scheme not in PORTS:
            return f"must be an https address of at most {ENDPOINT_LENGTH_MAX} characters"
        if parts.username is not None or parts.password is not None or parts.fragment:
            return "must have neither a user name nor a password nor a fragment"
        literal = read_literal(parts.hostname)
        is_loopback = parts.hostname == "localhost" or (literal is not None and literal.is_loopback)
        if parts.scheme == "http" and not (is_loopback and self.allow_loopback):
            return "must be an https address"
        if (is_loopback and not self.allow_loopback) or not (
            literal is None or self.permits(literal)
        ):
            return "must be a public address"
        return None


def origin_of(endpoint: str) -> tuple[str, str, int]:
    """Return the scheme, host and port of a valid endpoint."""
    parts = urlsplit(endpoint)
    return parts.scheme, parts.hostname or "", parts.port or PORTS[parts.scheme]


def read_literal(host: str) -> Address | None:
    """Return the address that a host is written as, or None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _split(endpoint: str) -> SplitResult | None:
    is_plain = endpoint.isascii() and endpoint.isprintable() and " " not in endpoint
    if not is_plain or len(endpoint) > ENDPOINT_LENGTH_MAX or "\\" in endpoint:
        return None
    try:
        parts = urlsplit(endpoint)
        # Reading the port is what validates it.
        return None if parts.port == 0 else parts
    except ValueError:
        return None


def _unwrap(address: Address) -> Address:
    """Return the IPv4 address inside an IPv6 one, so that a private one cannot hide there."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour or address
    if address.teredo:
        return address.teredo[1]
    if address in _NAT64:
        return ipaddress.IPv4Address(address.packed[-4:])
    return address

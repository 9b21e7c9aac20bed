"""Which endpoints may be written, and which addresses may be connected to."""

from __future__ import annotations

import ipaddress

import httpcore
import pytest

from gateway.purchasing import pinning
from gateway.purchasing.pinning import PinnedBackend
from gateway.vendors.addresses import AddressPolicy, origin_of

pytestmark = pytest.mark.requirement("CAP-5")

STRICT = AddressPolicy()
LOOPBACK = AddressPolicy(allow_loopback=True)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://vouchers.example.com/orders?tenant=1",
        "https://vouchers.example.com:8443",
        "https://93.184.215.14/",
        "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/",
    ],
)
def test_public_https_endpoint_is_taken(endpoint: str) -> None:
    assert STRICT.check(endpoint, ("input", "endpoint")) == []


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "vouchers.example.com",
        "http://vouchers.example.com/",
        "ftp://vouchers.example.com/",
        "file:///etc/passwd",
        "https://",
        "https:///orders",
        "https://user:secret@vouchers.example.com/",
        "https://user@vouchers.example.com/",
        "https://vouchers.example.com/#top",
        "https://vouchers.example.com:0/",
        "https://vouchers.example.com:99999/",
        "https://vouchers.example.com:x/",
        "https://vouchers.example.com/a b",
        "https://vouchers.example.com\\@evil.example/",
        "https://vouchers.example.com/\x00",
        "https://vouchers.example.com/\r\nHost: evil",
        "https://vøuchers.example.com/",
        "https://vouchers.example.com/\ud800",
        "https://[::1/",
        "https://localhost/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://10.0.0.1/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://[fd00::1]/",
        "https://[fe80::1]/",
        "https://vouchers.example.com/" + "x" * 2048,
    ],
)
def test_other_endpoint_is_refused(endpoint: str) -> None:
    (error,) = STRICT.check(endpoint, ("input", "endpoint"))
    assert (error.path, error.rule) == (("input", "endpoint"), "address")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]"])
def test_loopback_needs_its_setting(host: str) -> None:
    for scheme in ("http", "https"):
        assert STRICT.check(f"{scheme}://{host}:8080/", ("endpoint",)) != []
        assert LOOPBACK.check(f"{scheme}://{host}:8080/", ("endpoint",)) == []


@pytest.mark.parametrize("endpoint", ["http://vouchers.example.com/", "https://10.0.0.1/"])
def test_setting_allows_nothing_but_loopback(endpoint: str) -> None:
    assert LOOPBACK.check(endpoint, ("endpoint",)) != []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "::1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - refused is what it is
        "255.255.255.255",
        "224.0.0.1",
        "ff02::1",
        "fd00::1",
        "fe80::1",
        "::",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "2002:7f00:1::",
        "2002:a00:1::",
        "2001:0:a00:1:0:0:f5ff:fffe",
        "64:ff9b::10.0.0.1",
        "64:ff9b::127.0.0.1",
    ],
)
def test_private_address_is_not_connected_to(address: str) -> None:
    assert not STRICT.permits(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f::1", "64:ff9b::8.8.8.8"])
def test_public_address_is_connected_to(address: str) -> None:
    assert STRICT.permits(ipaddress.ip_address(address))


def test_origin_has_the_default_port() -> None:
    assert origin_of("https://Vouchers.example.com/a") == ("https", "vouchers.example.com", 443)
    assert origin_of("http://localhost:8080/a") == ("http", "localhost", 8080)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "0177.0.0.1"]
)
async def test_spellings_of_loopback_are_not_connected_to(host: str) -> None:
    with pytest.raises(httpcore.ConnectError):
        await PinnedBackend(STRICT).connect_tcp(host, 9, timeout=5)


async def test_name_with_one_private_address_is_not_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a name that resolves to several addresses, none may be private: the next answer may list it first."""

    async def resolve(host: str, port: int) -> list[object]:
        del host, port
        return [ipaddress.ip_address("93.184.215.14"), ipaddress.ip_address("10.0.0.1")]

    monkeypatch.setattr(pinning, "_resolve", resolve)
    with pytest.raises(httpcore.ConnectError, match="not permitted"):
        await PinnedBackend(STRICT).connect_tcp("vouchers.example.com", 443)


async def test_the_address_judged_is_the_address_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The name is resolved once; a second answer (DNS rebinding) would never be asked for."""
    answers = [["93.184.215.14"], ["127.0.0.1"]]
    connected: list[str] = []

    async def resolve(host: str, port: int) -> list[object]:
        del host, port
        return [ipaddress.ip_address(text) for text in answers.pop(0)]

    async def connect(host: str, *_: object) -> None:
        connected.append(host)

    monkeypatch.setattr(pinning, "_resolve", resolve)
    backend = PinnedBackend(STRICT)
    monkeypatch.setattr(backend._backend, "connect_tcp", connect)
    await backend.connect_tcp("vouchers.example.com", 443)
    assert (connected, answers) == (["93.184.215.14"], [["127.0.0.1"]])


async def test_unknown_name_is_a_failure_to_connect() -> None:
    with pytest.raises(httpcore.ConnectError, match="resolved"):
        await PinnedBackend(STRICT).connect_tcp("vouchers.invalid", 443, timeout=10)


async def test_slow_name_is_a_failure_to_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(*_: object) -> None:
        await backend.sleep(5)

    monkeypatch.setattr(pinning, "_resolve", resolve)
    backend = PinnedBackend(STRICT)
    with pytest.raises(httpcore.ConnectTimeout):
        await backend.connect_tcp("vouchers.example.com", 443, timeout=0.01)


async def test_local_sockets_are_not_connected_to() -> None:
    with pytest.raises(httpcore.ConnectError):
        await PinnedBackend(LOOPBACK).connect_unix_socket("/var/run/docker.sock")

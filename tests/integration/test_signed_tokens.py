"""A member signs in with a token of the organization's own issuer, and nobody signs in with a token that is not one."""

from __future__ import annotations

import base64
import hmac
import json
import time
import warnings
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from joserfc.jwk import ECKey, RSAKey

from gateway.access import Caller, Scope
from gateway.errors import AlreadyExists, InvalidInput, NotFound, Overloaded, Unauthenticated
from gateway.ids import new_id
from gateway.members.identifiers import IdentifierKind
from gateway.members.model import Identifier
from gateway.members.upserting import UpsertMember, upsert_member
from gateway.signing_in import key_client, known_issuers, recognition
from gateway.signing_in.issuer import Issuer
from gateway.signing_in.issuers import add_issuer, list_issuers, remove_issuer
from gateway.signing_in.key_client import KeyClient, KeysUnavailable
from gateway.signing_in.known_issuers import KnownIssuers
from gateway.signing_in.public_keys import choose_key
from gateway.signing_in.recognition import SignedRecognition
from gateway.vendors.addresses import AddressPolicy
from tests.catalog import Shop
from tests.issuer_server import AUDIENCE, KEYS, OTHER_KEY, IssuerServer, key_set, serving_issuer
from tests.wallets import logged_statements

LOOPBACK = AddressPolicy(allow_loopback=True)


@dataclass
class Gateway:
    """One process that trusts the issuer."""

    shop: Shop
    server: IssuerServer
    issuer: Issuer
    member_id: UUID
    known: KnownIssuers
    recognition: SignedRecognition

    async def refresh(self) -> None:
        await self.known.refresh()
        await self.known.fetch_due()
        await self.known.wait()

    async def is_refused(self, token: str) -> bool:
        try:
            await self.recognition.recognize(token)
        except Unauthenticated:
            return True
        return False


@pytest.fixture
def server() -> Iterator[IssuerServer]:
    with serving_issuer() as serving:
        yield serving


async def add_member(shop: Shop, external_id: str) -> UUID:
    identifier = Identifier(IdentifierKind.EXTERNAL_ID, external_id)
    command = UpsertMember(str(new_id()), (identifier,), "Ann")
    return (await upsert_member(shop.database, shop.caller, command)).member_id


async def trust(shop: Shop, server: IssuerServer, **fields: Any) -> Issuer:
    scope = (shop.caller.tenant_id, shop.caller.organization_id)
    return await add_issuer(shop.database, LOOPBACK, *scope, server.url, AUDIENCE, **fields)


@pytest.fixture
async def gateway(shop: Shop, server: IssuerServer) -> AsyncIterator[Gateway]:
    member_id = await add_member(shop, "ann")
    issuer = await trust(shop, server)
    known = KnownIssuers(shop.database, KeyClient(LOOPBACK))
    recognizing = SignedRecognition(shop.database, known)
    running = Gateway(shop, server, issuer, member_id, known, recognizing)
    await running.refresh()
    yield running
    await known.close()


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
async def test_token_of_the_issuer_is_the_member(gateway: Gateway, algorithm: str) -> None:
    caller = gateway.shop.caller
    assert await gateway.recognition.recognize(gateway.server.token(algorithm)) == Caller(
        tenant_id=caller.tenant_id,
        organization_id=caller.organization_id,
        partner_id=gateway.member_id,
        scopes=frozenset({Scope.MEMBER}),
        standard_assets=caller.standard_assets,
        member_id=gateway.member_id,
        credential_id=gateway.issuer.id,
    )


async def test_verified_token_is_believed_for_a_while(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = time.monotonic()
    monkeypatch.setattr(recognition, "monotonic", lambda: clock)
    token = gateway.server.token()
    first = await gateway.recognition.recognize(token)
    monkeypatch.setattr(recognition, "is_signed_with", None)
    with logged_statements(gateway.shop.database) as statements:
        assert await gateway.recognition.recognize(token) == first
    assert statements == []
    clock += recognition.TRUST_SECONDS
    with pytest.raises(TypeError):
        await gateway.recognition.recognize(token)


async def test_token_that_is_about_to_end_is_believed_no_longer(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = time.monotonic()
    monkeypatch.setattr(recognition, "monotonic", lambda: clock)
    # With the leeway it has less than three seconds.
    token = gateway.server.token(exp=int(time.time()) - 8)
    await gateway.recognition.recognize(token)
    clock += 3
    now = time.time() + 3
    monkeypatch.setattr("gateway.signing_in.recognition.time.time", lambda: now)
    assert await gateway.is_refused(token)


def encode(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def sign_with_secret(header: str, claims: str, secret: bytes) -> str:
    signature = hmac.digest(secret, f"{header}.{claims}".encode(), "sha256")
    return f"{header}.{claims}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def public_text(key: RSAKey | ECKey) -> bytes:
    return key.as_pem(private=False)


async def test_nothing_but_an_allowed_algorithm_verifies(gateway: Gateway) -> None:
    """None, HS256 with the public key as the secret, other families, and a key of one kind named for another."""
    server, rsa = gateway.server, KEYS["RS256"]
    assert isinstance(rsa, RSAKey)
    claims = encode(server.claims())
    good = server.token()
    signature = good.rsplit(".", 1)[1]
    # The library refuses to take a public key as a secret, so that is signed by hand.
    confused = sign_with_secret(encode({"alg": "HS256", "kid": "RS256"}), claims, public_text(rsa))
    forged = [
        f"{encode({'alg': 'none', 'kid': 'RS256'})}.{claims}.",
        f"{encode({'alg': 'none', 'kid': 'RS256'})}.{claims}.{signature}",
        f"{encode({'alg': 'NONE'})}.{claims}.{signature}",
        confused,
        server.token("RS256", {"alg": "PS256"}, rsa),
        server.token("RS256", {"alg": "RS512"}, rsa),
        server.token("RS256", {"alg": "ES256"}, KEYS["ES256"]),
        server.token("ES256", {"kid": "RS256"}),
        server.token("RS256", key=OTHER_KEY),
        server.token("RS256", {"jwk": OTHER_KEY.as_dict(private=False)}, OTHER_KEY),
        server.token("RS256", {"jku": server.url}, OTHER_KEY),
        server.token("RS256", {"typ": "logout+jwt"}),
        f"{encode({'alg': 'RS256', 'kid': 'RS256', 'crit': ['x'], 'x': 1})}.{claims}.{signature}",
        f"{encode({'alg': ['RS256'], 'kid': 'RS256'})}.{claims}.{signature}",
        f"{good.split('.')[0]}.{encode(server.claims(sub='bob'))}.{signature}",
        good[:-6] + "AAAAAA",
        good + "=",
        good.replace(".", ".."),
        good + "." + signature,
    ]
    await add_member(gateway.shop, "bob")
    assert [await gateway.is_refused(token) for token in forged] == [True] * len(forged)
    assert not await gateway.is_refused(good)


async def test_claims_must_be_for_here_and_now(gateway: Gateway) -> None:
    now = int(time.time())
    wrong: list[dict[str, Any]] = [
        {"iss": "http://127.0.0.1:1/"},
        {"iss": gateway.server.url.rstrip("/")},
        {"iss": None},
        {"iss": [gateway.server.url]},
        {"aud": "other"},
        {"aud": None},
        {"aud": []},
        {"aud": ["rewards "]},
        {"aud": [AUDIENCE, 1]},
        {"aud": [str(number) for number in range(20)] + [AUDIENCE]},
        {"exp": None},
        {"exp": now - 60},
        {"exp": now - 11},
        {"exp": now + 2 * 24 * 3_600},
        {"exp": 10**400},
        {"exp": str(now + 600)},
        {"exp": True},
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"nbf": now + 60},
        {"nbf": "soon"},
        {"iat": now + 60},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": ["ann"]},
        {"sub": "ann "},
        {"sub": "a" * 1_000},
        {"sub": "nobody"},
    ]
    tokens = [gateway.server.token(**claims) for claims in wrong]
    assert [
        claims
        for claims, token in zip(wrong, tokens, strict=True)
        if not await gateway.is_refused(token)
    ] == []
    good: list[dict[str, Any]] = [
        {"exp": now - 5},
        {"nbf": now + 5},
        {"aud": ["other", AUDIENCE]},
        {"iat": None},
    ]
    for claims in good:
        assert not await gateway.is_refused(gateway.server.token(**claims))


async def test_what_cannot_be_a_token_costs_no_statement(gateway: Gateway) -> None:
    long = "a" * 10_000_000
    texts = ["", ".", "..", "a.b.c", long, f"{long}.{long}.{long}", "e30.e30.e30", "€.€.€"]
    texts += [f"{encode([])}.{encode({})}.a", "[" * 2_000, gateway.server.token(extra="x" * 4_096)]
    deep = base64.urlsafe_b64encode(b"[" * 1_400).decode().rstrip("=")
    texts += [f"{deep}.{deep}.a", gateway.server.token(iss="https://elsewhere.example/")]
    with logged_statements(gateway.shop.database) as statements:
        assert [await gateway.is_refused(text) for text in texts] == [True] * len(texts)
    assert statements == []


async def test_flood_of_unknown_keys_fetches_no_more_often(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = time.monotonic()
    monkeypatch.setattr(known_issuers, "monotonic", lambda: clock)
    await gateway.refresh()
    asked = len(gateway.server.asked)
    for number in range(200):
        assert await gateway.is_refused(gateway.server.token(header={"kid": f"k{number}"}))
        await gateway.known.fetch_due()
        await gateway.known.wait()
    assert len(gateway.server.asked) - asked <= 1
    # A key that is new is found by the next token once the keys may be fetched again.
    gateway.server.content = json.dumps(key_set(new=OTHER_KEY)).encode()
    token = gateway.server.token("RS256", {"kid": "new"}, OTHER_KEY)
    assert await gateway.is_refused(token)
    clock += known_issuers.KEYS_ASKED_EVERY_SECONDS
    await gateway.refresh()
    assert not await gateway.is_refused(token)
    assert await gateway.is_refused(gateway.server.token("ES256"))


async def test_token_without_a_key_id_needs_an_only_key(gateway: Gateway) -> None:
    assert not await gateway.is_refused(gateway.server.token("ES256", {"kid": None}))
    gateway.server.content = json.dumps(key_set(a=KEYS["RS256"], b=OTHER_KEY)).encode()
    keys = await KeyClient(LOOPBACK).fetch(gateway.server.url)
    assert choose_key(keys, None, "RS256") is None
    assert choose_key(keys, "a", "RS256") is not None
    assert choose_key(keys, "a", "ES256") is None


async def test_removed_issuer_is_refused_when_that_is_known(gateway: Gateway) -> None:
    token = gateway.server.token()
    assert not await gateway.is_refused(token)
    await remove_issuer(gateway.shop.database, gateway.shop.caller.tenant_id, gateway.issuer.id)
    await gateway.known.refresh()
    assert await gateway.is_refused(token)
    (listed,) = await list_issuers(gateway.shop.database, gateway.shop.caller.tenant_id)
    assert listed.removed_at is not None
    with pytest.raises(NotFound):
        await remove_issuer(gateway.shop.database, gateway.shop.caller.tenant_id, new_id())
    # It may be trusted anew, as another one.
    again = await trust(gateway.shop, gateway.server)
    await gateway.refresh()
    assert (await gateway.recognition.recognize(token)).credential_id == again.id


async def test_nobody_is_believed_where_it_is_not_known_who_is_trusted(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = time.monotonic() + known_issuers.STALE_SECONDS_MAX + 1
    monkeypatch.setattr(known_issuers, "monotonic", lambda: later)
    with pytest.raises(Overloaded):
        await gateway.recognition.recognize(gateway.server.token())


async def test_keys_stay_while_they_cannot_be_fetched(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = time.monotonic()
    monkeypatch.setattr(known_issuers, "monotonic", lambda: clock)
    gateway.server.status = 500
    clock += known_issuers.KEYS_FETCHED_EVERY_SECONDS + 1
    asked = len(gateway.server.asked)
    await gateway.refresh()
    assert len(gateway.server.asked) == asked + 1
    assert not await gateway.is_refused(gateway.server.token())
    clock += known_issuers.KEYS_KEPT_SECONDS
    await gateway.known.refresh()
    assert await gateway.is_refused(gateway.server.token("ES256"))


async def test_misbehaving_servers_have_no_keys(
    server: IssuerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = KeyClient(LOOPBACK)
    good = server.content
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weak = RSAKey.generate_key(1024)
    secret = {"kty": "oct", "k": "c2VjcmV0", "kid": "RS256"}
    elsewhere = ECKey.generate_key("P-384")
    monkeypatch.setattr(key_client, "TIMEOUT_SECONDS", 0.3)
    with serving_issuer() as other:
        for fields in (
            {"status": 302, "location": other.url},
            {"status": 404},
            {"content": b"{"},
            {"content": b"[]"},
            {"content": b"[" * 100_000},
            {"content": b'{"keys": {}}'},
            {"content": b'{"keys": [1, null, {}]}'},
            {"content": good + b" " * key_client.ANSWER_BYTES_MAX},
            {"content": json.dumps({"keys": [secret]}).encode()},
            {"content": json.dumps(key_set(a=weak, b=elsewhere)).encode()},
            {"content": json.dumps({"keys": key_set(a=KEYS["RS256"])["keys"] * 51}).encode()},
            {"content": good, "delay_seconds": 1.0},
        ):
            for name, value in {"status": 200, "location": None, "content": good, **fields}.items():
                setattr(server, name, value)
            with pytest.raises(KeysUnavailable):
                await client.fetch(server.url)
        assert other.asked == []
        with pytest.raises(KeysUnavailable):
            await client.fetch("http://127.0.0.1:1/")
        # In production nothing on this machine or beside it is asked, whatever the name.
        for url in (server.url, "https://localhost/", "https://10.0.0.1/", "http://example.com/"):
            with pytest.raises(KeysUnavailable, match="not permitted"):
                await KeyClient(AddressPolicy()).fetch(url)
    await client.close()


async def test_member_may_be_named_by_another_claim(shop: Shop, server: IssuerServer) -> None:
    member_id = await add_member(shop, "customer-7")
    await trust(shop, server, jwks_url=f"{server.url}keys", member_claim="customer")
    known = KnownIssuers(shop.database, KeyClient(LOOPBACK))
    await known.refresh()
    await known.fetch_due()
    await known.wait()
    recognizing = SignedRecognition(shop.database, known)
    caller = await recognizing.recognize(server.token(customer="customer-7"))
    assert (caller.member_id, server.asked) == (member_id, ["/keys"])
    for claims in ({}, {"customer": 7}, {"customer": "customer-7", "sub": None}):
        with pytest.raises(Unauthenticated):
            await recognizing.recognize(server.token(**claims))
    await known.close()


async def test_issuer_means_one_tenant(gateway: Gateway) -> None:
    with pytest.raises(AlreadyExists):
        await trust(gateway.shop, gateway.server)
    neighbor = replace(gateway.shop, caller=gateway.shop.neighbor)
    with pytest.raises(AlreadyExists):
        await trust(neighbor, gateway.server)
    # A token for two audiences that mean different issuers means none.
    scope = (gateway.shop.caller.tenant_id, gateway.shop.caller.organization_id)
    await add_issuer(gateway.shop.database, LOOPBACK, *scope, gateway.server.url, "second")
    await gateway.refresh()
    assert not await gateway.is_refused(gateway.server.token(aud="second"))
    assert await gateway.is_refused(gateway.server.token(aud=[AUDIENCE, "second"]))


@pytest.mark.requirement("MON-13")
async def test_issuer_speaks_for_its_own_organizations_members(gateway: Gateway) -> None:
    scope = (gateway.shop.caller.tenant_id, gateway.shop.neighbor.organization_id)
    await add_issuer(gateway.shop.database, LOOPBACK, *scope, gateway.server.url, "neighbor")
    await gateway.refresh()
    assert not await gateway.is_refused(gateway.server.token())
    assert await gateway.is_refused(gateway.server.token(aud="neighbor"))


async def test_issuer_that_cannot_be_trusted_is_not_added(shop: Shop) -> None:
    scope = (shop.caller.tenant_id, shop.caller.organization_id)
    good: dict[str, Any] = {"url": "https://login.example.com/", "audience": "rewards"}
    for fields, path in (
        ({"url": "http://login.example.com/"}, "issuer"),
        ({"url": "https://127.0.0.1/"}, "issuer"),
        ({"url": "https://user@login.example.com/"}, "issuer"),
        ({"jwks_url": "http://login.example.com/keys"}, "jwks"),
        ({"jwks_url": "https://169.254.169.254/"}, "jwks"),
        ({"audience": ""}, "audience"),
        ({"member_claim": ""}, "memberClaim"),
    ):
        with pytest.raises(InvalidInput) as refusal:
            await add_issuer(shop.database, AddressPolicy(), *scope, **{**good, **fields})
        assert (path,) in [error.path for error in refusal.value.errors]
    with pytest.raises(NotFound):
        await add_issuer(shop.database, AddressPolicy(), scope[0], new_id(), **good)
    assert await list_issuers(shop.database, scope[0]) == []

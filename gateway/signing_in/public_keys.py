"""The public keys of an issuer, as its JSON Web Key Set has them (RFC 7517). Pure.

Each key serves one algorithm, which follows from what the key is, so that no token can choose how it is verified.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey

KEYS_MAX = 50
KEY_ID_LENGTH_MAX = 255
RSA_BITS_LEAST = 2_048
RSA_BITS_MOST = 4_096
# An exponent of 32 bits is more than anybody uses, and a huge one makes every check slow.
RSA_EXPONENT_MAX = 2**32

PublicKey: TypeAlias = RSAKey | ECKey | OKPKey
# By key id, or None, and algorithm.
PublicKeys: TypeAlias = Mapping[tuple[str | None, str], PublicKey]

ALGORITHMS = frozenset({"RS256", "ES256", "EdDSA"})


class KeysUnreadable(Exception):
    """What was sent is not a set of keys."""


def read_public_keys(content: bytes) -> PublicKeys:
    """Return the keys of a set that can be used; those of other kinds, for other uses or too weak are left out.

    Raises:
        KeysUnreadable: it is no set of keys, or has none that can be used.
    """
    try:
        keys = json.loads(content)["keys"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise KeysUnreadable from error
    if not isinstance(keys, list) or len(keys) > KEYS_MAX:
        raise KeysUnreadable
    found = {name: key for given in keys for name, key in _read_key(given)}
    if not found:
        raise KeysUnreadable
    return found


def choose_key(keys: PublicKeys, key_id: str | None, algorithm: str) -> PublicKey | None:
    """Return the key that a token names; where it names none, the only one of its algorithm."""
    if key_id is not None:
        return keys.get((key_id, algorithm))
    fitting = [key for (_, serves), key in keys.items() if serves == algorithm]
    return fitting[0] if len(fitting) == 1 else None


def _read_key(given: object) -> Iterator[tuple[tuple[str | None, str], PublicKey]]:
    if not isinstance(given, dict) or given.get("use", "sig") != "sig":
        return
    operations = given.get("key_ops", ["verify"])
    key_id = given.get("kid")
    if not isinstance(operations, list) or "verify" not in operations:
        return
    if key_id is not None and not (isinstance(key_id, str) and len(key_id) <= KEY_ID_LENGTH_MAX):
        return
    with warnings.catch_warnings():
        # Of keys that are too weak, which are left out.
        warnings.simplefilter("ignore", SecurityWarning)
        try:
            algorithm, key = _import(given)
        except (JoseError, ValueError, TypeError, KeyError):
            return
    if given.get("alg", algorithm) in (algorithm, _other_name(given)):
        yield (key_id, algorithm), key


def _other_name(given: Mapping[str, Any]) -> str | None:
    # RFC 9864 names the curve instead of the family.
    return "Ed25519" if given.get("crv") == "Ed25519" else None


def _import(given: Mapping[str, Any]) -> tuple[str, PublicKey]:
    """Return a key, of which nothing but the public part is taken, and the algorithm that it serves."""
    kind = given["kty"]
    if kind == "RSA":
        rsa = RSAKey.import_key({name: given[name] for name in ("kty", "n", "e")})
        numbers = rsa.public_key.public_numbers()
        if not RSA_BITS_LEAST <= numbers.n.bit_length() <= RSA_BITS_MOST:
            raise ValueError
        if numbers.e > RSA_EXPONENT_MAX:
            raise ValueError
        return "RS256", rsa
    if kind == "EC" and given["crv"] == "P-256":
        return "ES256", ECKey.import_key({name: given[name] for name in ("kty", "crv", "x", "y")})
    if kind == "OKP" and given["crv"] == "Ed25519":
        return "EdDSA", OKPKey.import_key({name: given[name] for name in ("kty", "crv", "x")})
    raise ValueError

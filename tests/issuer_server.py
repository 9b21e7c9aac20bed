"""An issuer of members' tokens on loopback: real keys, served over real HTTP, and misbehavior on demand."""

from __future__ import annotations

import json
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

AUDIENCE = "rewards"
KEYS: dict[str, RSAKey | ECKey | OKPKey] = {
    "RS256": RSAKey.generate_key(2048),
    "ES256": ECKey.generate_key("P-256"),
    "EdDSA": OKPKey.generate_key("Ed25519"),
}
OTHER_KEY = RSAKey.generate_key(2048)


def key_set(**keys: RSAKey | ECKey | OKPKey | OctKey) -> dict[str, Any]:
    """Return the public key set of these keys by their ids."""
    return {"keys": [{**key.as_dict(private=False), "kid": id_} for id_, key in keys.items()]}


@dataclass
class IssuerServer:
    """What is served, and how often it was asked for."""

    url: str
    content: bytes = field(default_factory=lambda: json.dumps(key_set(**KEYS)).encode())
    status: int = 200
    location: str | None = None
    delay_seconds: float = 0.0
    asked: list[str] = field(default_factory=list)

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Return good claims with some changed, or left out where None."""
        now = int(time.time())
        good = {"iss": self.url, "aud": AUDIENCE, "sub": "ann", "exp": now + 600, "iat": now}
        return {name: value for name, value in (good | changed).items() if value is not None}

    def token(
        self,
        algorithm: str = "RS256",
        header: dict[str, Any] | None = None,
        key: Any = None,
        **claims: Any,
    ) -> str:
        """Return a token, a good one if nothing else is said."""
        protected = {"alg": algorithm, "kid": algorithm, **(header or {})}
        signing = key or KEYS[algorithm]
        warnings.simplefilter("ignore", SecurityWarning)
        return jwt.encode(
            {name: value for name, value in protected.items() if value is not None},
            self.claims(**claims),
            signing,
            algorithms=[protected["alg"]],
            registry=jws.JWSRegistry(strict_check_header=False, algorithms=[protected["alg"]]),
        )


@contextmanager
def serving_issuer() -> Iterator[IssuerServer]:
    """Serve an issuer while the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append(self.path)
            time.sleep(server.delay_seconds)
            self.send_response(server.status)
            if server.location:
                self.send_header("Location", server.location)
            self.send_header("Content-Length", str(len(server.content)))
            self.end_headers()
            try:
                self.wfile.write(server.content)
            except OSError:
                return

        def log_message(self, *_: object) -> None:
            return

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = IssuerServer(f"http://127.0.0.1:{http.server_address[1]}/")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()

"""A vendor for tests: a real HTTP process on loopback, which behaves as badly as it is told to.

`python -m tests.vendor_server FILE` prints its port. What it sells is appended to FILE before it answers, so that it still
knows after it was killed. POST /orders sells one voucher per order id, and answers a known order id with the same one.
Before each call it takes the next behavior from the script that was PUT to /script; without one it succeeds.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

# What is done before the answer: sell, or not.
SELLING = {
    "succeed",
    "late",
    "slow",
    "fail_after",
    "malformed_after",
    "hang_up_after",
    "die_after",
    "conflict_after",
    "created_after",
    "object_after",
    "huge_after",
}
STATUSES = {
    "fail_before": 500,
    "fail_after": 500,
    "unavailable": 503,
    "bad_request": 400,
    "forbidden": 403,
    "missing": 404,
    "conflict_after": 409,
    "refuse": 422,
    "busy": 429,
}
REFUSALS = {"no_voucher", "empty_voucher", "refuse", "bad_request"}
LATE_SECONDS = 1.4
SLOW_SECONDS = 0.3


class VendorProcess:
    """What the process knows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.script: list[str] = []
        self.calls: list[dict[str, Any]] = []
        self.running: set[asyncio.Future[Response]] = set()
        self.is_consistent = False
        self.refusals: dict[str, str] = {}
        self.locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        lines = path.read_text().splitlines() if path.exists() else []
        self.vouchers: dict[str, str] = dict(json.loads(line) for line in lines)

    def behave(self, order_id: str) -> str:
        """Return the next behavior; a consistent vendor says of an order what it has said of it before."""
        behavior = self.script.pop(0) if self.script else "succeed"
        if self.is_consistent and behavior in REFUSALS and order_id in self.vouchers:
            return "succeed"
        if self.is_consistent and (behavior in REFUSALS or order_id in self.refusals):
            return self.refusals.setdefault(order_id, behavior)
        return behavior

    def sell(self, order_id: str) -> None:
        """Sell one voucher per order id, and remember it for good."""
        if order_id in self.vouchers:
            return
        self.vouchers[order_id] = f"V-{len(self.vouchers) + 1:04}"
        with self.path.open("a") as file:
            file.write(json.dumps([order_id, self.vouchers[order_id]]) + "\n")
            file.flush()
            os.fsync(file.fileno())

    async def order(self, request: Request) -> Response:
        """Take an order."""
        # A task of its own: it goes on when the caller has hung up.
        taking = asyncio.ensure_future(self.take(request))
        self.running.add(taking)
        taking.add_done_callback(self.running.discard)
        return await asyncio.shield(taking)

    async def take(self, request: Request) -> Response:
        """Behave as the script says."""
        body = await request.json()
        order_id = body["order"]["id"]
        if not self.is_consistent:
            return await self.act(body, request, self.behave(order_id))
        # One call for an order at a time, as a vendor must do that promises one outcome for each.
        async with self.locks[order_id]:
            return await self.act(body, request, self.behave(order_id))

    async def act(self, body: dict[str, Any], request: Request, behavior: str) -> Response:
        """Wait, sell, fail or answer, as the behavior says."""
        order_id = body["order"]["id"]
        self.calls.append({"body": body, "headers": dict(request.headers), "behaved": behavior})
        sold = self.vouchers
        if behavior in {"late_before", "slow"}:
            await asyncio.sleep(SLOW_SECONDS if behavior == "slow" else LATE_SECONDS)
        # A call that outlasted its test must not sell in the next one, which has made the vendor forget.
        if behavior in SELLING and sold is self.vouchers:
            self.sell(order_id)
        if behavior == "late":
            await asyncio.sleep(LATE_SECONDS)
        if behavior.startswith("die"):
            os._exit(1)
        if behavior.startswith("hang_up"):
            message = "hang up in the middle of the answer"
            raise ConnectionError(message)
        return self.answer(behavior, order_id)

    def answer(self, behavior: str, order_id: str) -> Response:
        """Answer as behaved."""
        if behavior in STATUSES:
            return JSONResponse({"error": behavior}, STATUSES[behavior])
        if behavior == "redirect":
            return RedirectResponse("/elsewhere", 302)
        if behavior.startswith("malformed"):
            return Response(b'{"data": {"items": [', media_type="application/json")
        if behavior == "no_voucher":
            return JSONResponse({"data": {"items": [{}]}})
        voucher: Any = "" if behavior == "empty_voucher" else self.vouchers.get(order_id)
        if behavior == "object_after":
            voucher = {"code": voucher}
        item = {"code": voucher, "expires": "2027-11-01", "series": 234}
        padding = "x" * 400_000 if behavior == "huge_after" else ""
        status = 201 if behavior == "created_after" else 200
        return JSONResponse({"data": {"items": [item]}, "padding": padding}, status)

    async def control(self, request: Request) -> Response:
        """Take a new script, or forget everything; show what was sold and asked."""
        if request.method == "PUT":
            self.script = await request.json()
            self.is_consistent = self.script[:1] == ["consistent"]
            self.script = self.script[self.is_consistent :]
        if request.method == "DELETE":
            # Calls that nobody waits for any more would sell into the next test.
            await asyncio.gather(*self.running, return_exceptions=True)
            self.script, self.calls, self.vouchers, self.refusals = [], [], {}, {}
            self.is_consistent = False
            self.path.unlink(missing_ok=True)
        return JSONResponse({"vouchers": self.vouchers, "calls": self.calls})

    async def elsewhere(self, request: Request) -> Response:
        """Note that a redirection was followed, which must not happen."""
        self.calls.append({"body": None, "headers": dict(request.headers), "behaved": "elsewhere"})
        return JSONResponse({"data": {"items": [{"code": "ELSEWHERE"}]}})


def main() -> None:
    """Serve until killed."""
    vendor = VendorProcess(Path(sys.argv[1]))
    routes = [
        Route("/orders", vendor.order, methods=["POST"]),
        Route("/elsewhere", vendor.elsewhere, methods=["GET", "POST"]),
        Route("/script", vendor.control, methods=["GET", "PUT", "DELETE"]),
    ]
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0))
    listener.listen()
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    config = uvicorn.Config(Starlette(routes=routes), log_level="critical", ws="none")
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()

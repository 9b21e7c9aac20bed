"""A vendor on loopback that sells at once to one tenant and takes 29 seconds for another, and rewards that are bought there."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from benchmarks.failure import BenchmarkFailed
from benchmarks.hostile.wire import Caller, to_request

SLOW_SECONDS = 29
QUICK_PATH = "/quick"
SLOW_PATH = "/slow"
TIMEOUT_SECONDS = 30

CREATE_MEMBER = """mutation ($input: UpsertMemberInput!) { upsertMember(input: $input) {
  ... on UpsertMemberPayload { member { id } } ... on Error { code message } } }"""
CREATE_VENDOR = """mutation ($input: CreateVendorInput!) { createVendor(input: $input) {
  ... on CreateVendorPayload { vendor { id } } ... on Error { code message } } }"""
CREATE_REWARD = """mutation ($input: CreateRewardInput!) { createReward(input: $input) {
  ... on CreateRewardPayload { reward { ... on VendorVoucherReward { id } } } ... on Error { code message } } }"""


class _Vendor(BaseHTTPRequestHandler):
    """Sells a voucher for whatever is ordered."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer at once, or late."""
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == SLOW_PATH:
            time.sleep(SLOW_SECONDS)
        body = json.dumps({"voucher": uuid.uuid4().hex}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    # What is still asleep at the end is not waited for.
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_: object) -> None:
        """Clients may go away."""


@contextmanager
def serving_vendor() -> Iterator[str]:
    """Sell while the block lasts, and yield the vendor's address."""
    server = _Server(("127.0.0.1", 0), _Vendor)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.socket.close()


def offer_voucher(port: int, token: str, member: str, endpoint: str) -> str:
    """Make a member, a vendor and a reward that is bought there for nothing, and return the reward's id.

    Raises:
        BenchmarkFailed: the gateway refuses one of them.
    """
    caller = Caller(port)

    def do(query: str, **given: Any) -> Any:
        given["requestId"] = str(uuid.uuid4())
        _, body = caller.ask(to_request(query, token, {"input": given}))
        answer = json.loads(body)
        payload = next(iter((answer.get("data") or {"": {}}).values())) or {}
        if "errors" in answer or "code" in payload:
            raise BenchmarkFailed(f"The gateway refused to prepare a voucher: {body[:500]!r}")
        return payload

    try:
        do(
            CREATE_MEMBER,
            identifiers=[{"identifierType": "EXTERNAL_ID", "identifierValue": member}],
        )
        vendor = do(
            CREATE_VENDOR,
            name="Vouchers",
            endpoint=endpoint,
            requestTemplate={"order": "{orderId}"},
            responseMapping={"voucher": "voucher"},
            timeoutSeconds=TIMEOUT_SECONDS,
        )
        config = {"vendorVoucher": {"vendorId": vendor["vendor"]["id"], "offerName": "Coffee"}}
        reward_id: str = do(CREATE_REWARD, name="Voucher", config=config)["reward"]["id"]
        return reward_id
    finally:
        caller.close()

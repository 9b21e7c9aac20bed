"""How many may be at the same thing at one time: of each tenant at most its share; the others wait, and tenants take turns."""

from __future__ import annotations

from gateway.storage.shares import Share
from gateway.storage.waiting_line import WaitingLine


class Slots:
    """A number of slots that are taken and given back.

    Whoever takes one says how many units of its share it counts for: the last one that still begins may go beyond the share.
    """

    def __init__(self, count: int) -> None:
        """Begin with every slot free."""
        self._free = count
        self._line: WaitingLine[None] = WaitingLine(self._free_one)

    async def take(self, share: Share, timeout_seconds: float, units: int = 1) -> None:
        """Wait for a slot, behind the others of this share, and count it there.

        Raises:
            TimeoutError: none came free in time.
        """
        if not self.take_free(share, units):
            await self._line.wait(share, timeout_seconds, units)

    def take_free(self, share: Share, units: int = 1) -> bool:
        """Take a slot and count it in the share if one is free now, and nobody of the share waits; tell whether that is so."""
        if not self._free or share.held >= share.most or (share.waiting and share.has_waiting()):
            return False
        self._free -= 1
        share.held += units
        return True

    def give_back(self, share: Share, units: int = 1) -> None:
        """Let the next ones begin."""
        # Before the slot is handed on: the next in line may be of the same tenant.
        share.held -= units
        self._free_one(None)

    def serve(self) -> None:
        """Let those begin who may by now."""
        while self._free and self._line.serve(None):
            self._free -= 1

    def _free_one(self, _: None) -> None:
        self._free += 1
        self.serve()

"""How many may be at the same thing at one time: of each tenant at most its share; the others wait, and tenants take turns."""

from __future__ import annotations

from gateway.storage.shares import Share
from gateway.storage.waiting_line import WaitingLine


class Slots:
    """A number of slots that are taken and given back."""

    def __init__(self, count: int) -> None:
        """Begin with every slot free."""
        self._free = count
        self._line: WaitingLine[None] = WaitingLine(self._pass_on)

    async def take(self, share: Share, timeout_seconds: float) -> None:
        """Wait for a slot, and count it in the share.

        Raises:
            TimeoutError: none came free in time.
        """
        if not self.take_free(share):
            await self._line.wait(share, timeout_seconds)

    def take_free(self, share: Share) -> bool:
        """Take a slot and count it in the share if one is free now; tell whether that is so."""
        if not self._free or share.held >= share.most:
            return False
        self._free -= 1
        share.held += 1
        return True

    def give_back(self, share: Share) -> None:
        """Let the next one have the slot."""
        # Before it is handed on: the next in line may be of the same tenant.
        share.held -= 1
        self._pass_on(None)

    def _pass_on(self, _: None) -> None:
        if not self._line.serve(None):
            self._free += 1

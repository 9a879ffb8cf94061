"""Places where one thread leaves its latest item for others; what is not taken in time is gone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Slot(Generic[Item]):
    """The latest item, for one taker; an item that is replaced before it was taken counts as dropped."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: Item | None = None
        self._ended = False
        self.n_dropped = 0

    def put(self, item: Item) -> None:
        """Leave an item, in place of the one that may lie there."""
        with self._changed:
            self.n_dropped += self._item is not None
            self._item = item
            self._changed.notify_all()

    def take(self) -> Item | None:
        """Wait for an item and take it; None once there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._ended)
            item, self._item = self._item, None
            return item

    def end(self) -> None:
        """Say that no more will come; what lies there can still be taken."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()


class Board(Generic[Item]):
    """The latest item, for any number of viewers, each at its own pace; none of them holds up who writes."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._tell: list[Callable[[], None]] = []
        self.item: Item | None = None
        self.version = 0  # of the item; 0 = there was none yet
        self.ended = False

    def put(self, item: Item) -> None:
        """Show an item."""
        with self._changed:
            self.item, self.version = item, self.version + 1
        self._wake()

    def end(self) -> None:
        """Say that the item that is shown is the last."""
        self.ended = True
        self._wake()

    def wait(self, seen: int, timeout: float) -> int:
        """Wait until there is a newer item than version ``seen``, at most ``timeout`` seconds; return its version."""
        with self._changed:
            self._changed.wait_for(lambda: self.version > seen or self.ended, timeout)
            return self.version

    def listen(self, tell: Callable[[], None]) -> None:
        """Have a function called at every change, in the thread that changes; it must return at once."""
        self._tell.append(tell)

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
        for tell in self._tell:
            tell()

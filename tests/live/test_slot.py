"""Between two threads lies the latest item alone."""

from __future__ import annotations

import queue
import threading

from scenefer.live.slot import Board, Slot


def test_what_is_not_taken_in_time_is_replaced_and_counted():
    slot: Slot[int] = Slot()
    for item in (1, 2, 3):
        slot.put(item)
    assert slot.take() == 3
    assert slot.n_dropped == 2
    slot.put(4)
    slot.end()
    assert [slot.take(), slot.take()] == [4, None]
    assert slot.n_dropped == 2


def test_a_taker_waits_for_the_next_item_and_is_woken_by_the_end():
    slot: Slot[int] = Slot()
    taken: queue.Queue[int | None] = queue.Queue()

    def take_two() -> None:
        for _ in range(2):
            taken.put(slot.take())

    taker = threading.Thread(target=take_two)
    taker.start()
    slot.put(7)
    assert taken.get(timeout=30) == 7
    slot.end()
    assert taken.get(timeout=30) is None
    taker.join(30)


def test_viewers_see_the_latest_item_each_at_its_own_pace():
    board: Board[str] = Board()
    heard: list[int] = []
    board.listen(lambda: heard.append(board.version))
    assert board.wait(0, timeout=0) == 0
    board.put("a")
    quick = board.wait(0, timeout=1)
    board.put("b")
    board.put("c")
    assert [quick, board.wait(quick, 1), board.wait(0, 1), board.item] == [1, 3, 3, "c"]
    assert board.wait(3, timeout=0) == 3, "nothing new"
    board.end()
    assert board.wait(3, timeout=60) == 3, "the end wakes who waits"
    assert heard == [1, 2, 3, 3]

"""How many threads the networks take: one. Work is shared out as chunks of film and batches of faces instead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch and OpenCV work in the calling thread alone.

    Threads that share one small tensor mostly wait for each other, and do so at the processor's cost: to analyse three
    seconds of film took two of them 8.5 s of it, where one takes 5.7 s, and were no sooner done on a busy machine.
    """
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])

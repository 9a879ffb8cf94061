"""Memory that Python no longer needs, and the C library keeps."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress


def give_back() -> None:
    """Return freed memory to the system; after many pieces of all sizes, glibc keeps half of a gigabyte of it.

    Other C libraries have no such function, and nothing happens.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)

"""Writing a file so that whoever reads it finds the old one or the new, and a kill leaves either."""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from pathlib import Path

from scenefer.errors import unwritable


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place first, then rename it.

    Raises:
        OSError: the folder cannot be written or is full.
    """
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        beside.write_bytes(content)
        os.replace(beside, path)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def write_result(path: Path, content: bytes, remedy: str) -> None:
    """Write what a user waits for, as ``write_whole``; its folder is made where there is none.

    Args:
        remedy: what to do where it cannot be written.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    except OSError as error:
        raise unwritable(path, error, remedy) from error

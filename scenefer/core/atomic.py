"""Atomic writes: a reader, or a process that is killed, sees either the old file or the complete new one."""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from pathlib import Path

from scenefer.core.errors import unwritable
from scenefer.core.run_folder import require_not_of_a_run


def write_whole(path: Path, content: bytes) -> None:
    """Write to a temporary file in the same folder, then rename it to ``path``.

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
    """Write a result for the user atomically, as ``write_whole`` does; create its folder if it is missing.

    If the path is a link, the file that it leads to is written.

    Args:
        remedy: what the user should do if the file cannot be written; part of the error message.

    Raises:
        OutputError: it cannot be written, or is a part of a run.
    """
    require_not_of_a_run(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(Path(os.path.realpath(path)), content)
    except OSError as error:
        raise unwritable(path, error, remedy) from error

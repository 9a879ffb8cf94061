"""The files of weights on this machine: their SHA-256, and whether they are what their records say."""

from __future__ import annotations

import hashlib
import time
from functools import lru_cache
from pathlib import Path

from scenefer.core.errors import WeightsError
from scenefer.models import known_weights

_SETTLED = 2  # seconds; if a file is older, any later change gets a different time stamp, even on coarse file systems


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, 64 hexadecimal digits; an unchanged file is read only once per process."""
    state = path.stat()
    if time.time() - max(state.st_mtime, state.st_ctime) < _SETTLED:
        return _hashed.__wrapped__(path)
    return _hashed(path, state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)


@lru_cache(maxsize=64)
def _hashed(path: Path, *_state: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(name: str) -> Path:
    """Check that the file of a known name exists and has the recorded SHA-256; return its path.

    Raises:
        WeightsError: the name is unknown, or the file is missing or has another SHA-256.
    """
    record = known_weights.find(name)
    path = record.path
    if not path.is_file():
        raise WeightsError(f"the weights {name!r} are not at {path}; {record.remedy}")
    if sha256_of(path) != record.sha256:
        remedy = record.remedy if record.url is None else f"delete it and {record.remedy}"
        raise WeightsError(f"{path} is damaged or another file: its SHA-256 is not that of {name!r}; {remedy}")
    return path

"""The download of weights that do not ship, into the user's folder; the only module that fetches files."""

from __future__ import annotations

import http.client
import logging
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from scenefer.core.errors import WeightsError
from scenefer.models import known_weights
from scenefer.models.weight_files import sha256_of, verify

log = logging.getLogger(__name__)

_BLOCK = 1 << 20  # bytes read at once
_PATIENCE = 30  # seconds without data before a download is aborted

Progress = Callable[[int, int], None]  # bytes received, bytes in total


def pull(name: str, progress: Progress | None = None) -> Path:
    """Download a weight file into the user's folder, resuming an earlier attempt, and verify it.

    An existing file is only verified. An unfinished download is kept as ``….tmp``.

    Raises:
        WeightsError: the name is unknown, the network is switched off (``SCENEFER_OFFLINE=1``) or fails, the folder is
            not writable, or the received file has another SHA-256 than the record.
    """
    record = known_weights.find(name)
    if record.url is None or record.path.is_file():
        return verify(name)
    if os.environ.get("SCENEFER_OFFLINE") == "1":
        raise WeightsError(f"SCENEFER_OFFLINE=1 forbids the download of {name!r} from {record.url}; unset it")
    log.info("%s: %d bytes from %s, licence: %s", name, record.n_bytes, record.url, record.licence)
    part = record.path.with_name(record.file + ".tmp")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        _download(record.url, part, record.n_bytes, progress)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        if isinstance(error, urllib.error.HTTPError):  # the error object holds the connection open
            error.close()
        raise WeightsError(f"{record.url} cannot be fetched: {error}; run the command again to go on") from error
    except OSError as error:
        raise WeightsError(
            f"{part} cannot be written: {error.strerror}; SCENEFER_WEIGHTS names another folder"
        ) from error
    n_bytes = part.stat().st_size
    if n_bytes < record.n_bytes:
        raise WeightsError(
            f"{record.url} stopped after {n_bytes} of {record.n_bytes} bytes; run the command again to go on"
        )
    if (found := sha256_of(part)) != record.sha256:
        part.unlink()
        raise WeightsError(
            f"{record.url} gave another file: SHA-256 {found}, expected {record.sha256}; it was discarded"
        )
    part.replace(record.path)
    return record.path


def _download(url: str, part: Path, n_bytes: int, progress: Progress | None) -> None:
    """Download the missing part of the ``n_bytes`` at ``url`` and append it to ``part``."""
    start = part.stat().st_size if part.exists() else 0
    if start >= n_bytes:  # complete, or not this file; the hash will tell
        return
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
        if answer.status != 206:  # the server ignores Range and sends the whole file
            start = 0
        with part.open("ab" if start else "wb") as file:
            # Stop one byte after the expected size: it must be another file.
            while start <= n_bytes and (block := answer.read(min(_BLOCK, n_bytes + 1 - start))):
                file.write(block)
                start += len(block)
                if progress is not None:
                    progress(start, n_bytes)

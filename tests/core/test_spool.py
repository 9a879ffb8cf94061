"""Pictures in a file are those that were put there, and a full disk is said."""

from __future__ import annotations

import gc
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from scenefer.core import jpeg
from scenefer.core.errors import OutputError
from scenefer.core.spool import Spool


def test_what_was_put_comes_back_from_any_thread(tmp_path: Path):
    spool = Spool(tmp_path)
    pictures = [os.urandom(k) for k in (1, 5000, 0, 70)]
    places = [*spool.put(pictures[:2]), *spool.put([None, *pictures[2:]])]
    assert places.pop(2) is None
    with ThreadPoolExecutor(4) as threads:
        for _ in range(20):
            assert list(threads.map(bytes, places)) == pictures
    assert [len(place) for place in places if place is not None] == [len(picture) for picture in pictures]


def test_a_picture_is_decoded_from_it_as_from_memory(tmp_path: Path):
    stored = jpeg.encode(np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8))
    (place,) = Spool(tmp_path).put([stored])
    assert place is not None
    assert np.array_equal(jpeg.decode(place), jpeg.decode(stored))
    assert jpeg.brightness(place) == jpeg.brightness(stored)
    assert cv2.norm(jpeg.thumbnail(place, 8), jpeg.thumbnail(stored, 8)) == 0


def test_nothing_of_it_is_left_behind(tmp_path: Path):
    places = Spool(tmp_path).put([b"picture"])
    assert [*tmp_path.iterdir()] == []
    assert bytes(places[0] or b"") == b"picture"
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else None
    del places
    gc.collect()
    if before is not None:
        assert len(os.listdir("/proc/self/fd")) == before - 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tempfile.TemporaryFile", lambda dir: open("/dev/full", "w+b"))  # noqa: SIM115
    with pytest.raises(OutputError, match="free space or choose another --out"):
        Spool(tmp_path).put([b"picture"] * 10)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path):
    with pytest.raises(OutputError, match="absent cannot be written"):
        Spool(tmp_path / "absent")

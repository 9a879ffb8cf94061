"""The records of the known weights, and where their files lie."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scenefer.models import known_weights, weight_files, weight_record


def test_every_record_has_what_a_reader_needs_and_every_shipped_file_is_the_recorded_one():
    for name, record in known_weights.known().items():
        assert record.name == name
        assert len(record.sha256) == 64
        assert record.licence
        assert record.source
        assert record.trained_on
        if record.url is None:
            assert weight_files.verify(name).stat().st_size == record.n_bytes
        else:
            assert record.url.startswith("https://")


def test_pulled_weights_lie_in_the_users_data_folder_of_the_platform(monkeypatch: pytest.MonkeyPatch):
    for variable in ("SCENEFER_WEIGHTS", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(variable, raising=False)
    folders = {
        "linux": ".local/share/scenefer/weights",
        "darwin": "Library/Application Support/scenefer/weights",
        "win32": "AppData/Local/scenefer/weights",
    }
    assert weight_record.folder() == Path.home() / folders[sys.platform]


@pytest.mark.skipif(sys.platform != "linux", reason="XDG's folders are those of Linux")
def test_the_users_data_folder_may_be_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SCENEFER_WEIGHTS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert weight_record.folder() == Path("/data/scenefer/weights")
    monkeypatch.setenv("XDG_DATA_HOME", "")
    assert weight_record.folder() == Path.home() / ".local/share/scenefer/weights"


def test_listing_the_weights_loads_no_heavy_package():
    code = (
        "import sys; from scenefer.models import known_weights, registry; known_weights.known();"
        "print([name for name in ('torch', 'cv2', 'numpy', 'pandas') if name in sys.modules])"
    )
    listed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert listed.stdout.strip() == "[]"

"""A run reads back as it was written."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenefer.analysis import result
from tests.reports import analysed, intending


@pytest.mark.parametrize("note", ["she holds back\rthen not", "a\r\nb", 'she said "no"', "a,b;c", "\t", "–"])
def test_a_sheet_reads_back_whatever_its_cells_hold(note: str, tmp_path: Path):
    sheet = intending(rage="angry", joy=None, empty=None).assign(note=[note, None, None], **{"my\rcolumn": "x"})
    result.save(analysed(sheet=sheet), tmp_path / "run", {})
    read = result.load(tmp_path / "run").sheet
    assert read is not None
    assert read["scene"].tolist() == ["rage", "joy", "empty"]
    assert read["note"].tolist() == [note, None, None]
    assert read["intended"].tolist() == ["angry", None, None]

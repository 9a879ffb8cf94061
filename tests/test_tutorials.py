"""Every code block of the tutorials runs as it stands, one after the other, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run_blocks(page: str, folder: Path) -> list[str]:
    """Run the blocks of a page; return what each printed."""
    here = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    said = []
    for language, text in BLOCK.findall((DOCS / page).read_text(encoding="utf-8")):
        command = ["sh", "-e", "-c", text] if language == "sh" else [sys.executable, "-c", text]
        done = subprocess.run(
            command, cwd=folder, env={**os.environ, "PATH": here}, capture_output=True, text=True, encoding="utf-8"
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        said.append(done.stdout)
    return said


def test_an_editor_comes_from_a_film_to_a_sheet_to_a_second_cut(tmp_path: Path):
    said = run_blocks("tutorial-editor.md", tmp_path)
    assert len(said) == 6
    assert (tmp_path / "scenes.csv").read_text(encoding="utf-8").startswith("scene,start,end")
    assert any((tmp_path / "scenes-pictures").iterdir()), "pictures beside the sheet"
    assert "return" in said[3]
    assert "sad" in said[3], "the scene that the tutorial speaks of is in the table"
    assert (tmp_path / "reports" / "demo" / "report.html").is_file()
    assert (tmp_path / "markers.edl").stat().st_size > 100
    assert (tmp_path / "faces.csv").stat().st_size > 1000


def test_a_researcher_comes_from_films_to_a_table_and_a_figure(tmp_path: Path):
    said = run_blocks("tutorial-researcher.md", tmp_path)
    assert len(said) == 7
    table = next(text for text in said if "happy" in text and "neutral" in text and "scene" in text)
    assert re.findall(r"^cut-\S+", table, re.MULTILINE) == ["cut-1.0.mp4", "cut-1.25.mp4", "cut-1.5.mp4"]
    shares = (tmp_path / "reports" / "library" / "group_shares.csv").read_text(encoding="utf-8")
    assert "slow" in shares
    assert "fast" in shares
    assert {path.suffix for path in (tmp_path / "figures").iterdir()} >= {".png", ".svg", ".pdf"}


@pytest.mark.parametrize("page", ["tutorial-editor.md", "tutorial-researcher.md"])
def test_no_block_of_a_tutorial_is_left_out(page: str):
    text = (DOCS / page).read_text(encoding="utf-8")
    assert text.count("```") == 2 * len(BLOCK.findall(text))

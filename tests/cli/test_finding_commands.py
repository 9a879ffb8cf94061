"""Who does not know the command's name is told it."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenefer.core.run_folder import run_of
from tests.program import scenefer


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["film.mp4"], "to analyse a film: scenefer analyze film.mp4", id="a film"),
        pytest.param(["my film.mov", "--lang", "id"], "scenefer analyze 'my film.mov' --lang id", id="with options"),
        pytest.param(["open", "reports/a"], "open reports/a/report.html in a browser", id="open"),
        pytest.param(["open"], "open a run's report.html in a browser", id="open nothing"),
        pytest.param(["analyse", "film.mp4"], "did you mean 'analyze'?", id="the other spelling"),
        pytest.param(["xyzzy"], "there is no command 'xyzzy'; scenefer --help lists them", id="a word like none"),
    ],
)
def test_a_word_that_is_no_command_is_answered_with_the_command_that_was_meant(
    tmp_path: Path, words: list[str], said: str
):
    done = scenefer(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_list_of_commands_cuts_no_sentence_off_at_a_hundred_columns(tmp_path: Path):
    shown = scenefer("-h", cwd=tmp_path, COLUMNS="100").stdout
    assert "..." not in shown.split("Commands:")[1]
    assert max(map(len, shown.splitlines())) <= 100
    assert scenefer("--help", cwd=tmp_path, COLUMNS="100").stdout == shown


def test_the_report_of_a_run_stands_for_the_run(tmp_path: Path):
    (tmp_path / "report.html").touch()
    assert run_of(tmp_path / "report.html") == tmp_path
    assert run_of(tmp_path) == tmp_path
    assert run_of(tmp_path / "elsewhere" / "report.html") == tmp_path / "elsewhere" / "report.html", (
        "which is not there"
    )
    done = scenefer("report", tmp_path / "report.html", cwd=tmp_path)
    assert done.returncode == 2
    assert f"{tmp_path} " in done.stderr, "the run is what the complaint is about, not the file"

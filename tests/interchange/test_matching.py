"""Every film has the list that is named as it is, and whatever has no partner is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenefer.core.errors import PlanError
from scenefer.interchange.matching import match


def test_a_folder_has_the_sheet_of_each_film_by_its_name(tmp_path: Path):
    for name in ("a.csv", "b.EDL", "c.fcpxmld", "notes.txt", "d.txt"):
        (tmp_path / name).touch()
    films = [Path("x/a.mp4"), Path("b.mov"), Path("c.mkv"), Path("d.mp4")]
    assert match(films, tmp_path).lists == {
        films[0]: tmp_path / "a.csv",
        films[1]: tmp_path / "b.EDL",
        films[2]: tmp_path / "c.fcpxmld",
    }
    assert match(films, None).lists == {}


def test_a_sheet_is_named_as_its_film_however_the_umlaut_is_stored(tmp_path: Path):
    (tmp_path / "b\u00fcro.csv").touch()
    film_of_a_mac = Path("bu\u0308ro.mp4")
    assert match([film_of_a_mac], tmp_path).lists == {film_of_a_mac: tmp_path / "b\u00fcro.csv"}


def test_one_sheet_is_for_one_film(tmp_path: Path):
    sheet = tmp_path / "sheet.csv"
    sheet.touch()
    assert match([Path("a.mp4")], sheet).lists == {Path("a.mp4"): sheet}
    with pytest.raises(PlanError, match="one sheet for 2 films; give a folder"):
        match([Path("a.mp4"), Path("b.mp4")], sheet)


def test_a_folder_without_a_sheet_for_any_film_or_with_two_for_one_is_refused(tmp_path: Path):
    with pytest.raises(PlanError, match=r"a\.csv would be one for a\.mp4"):
        match([Path("a.mp4")], tmp_path)
    for name in ("a.csv", "a.edl"):
        (tmp_path / name).touch()
    with pytest.raises(PlanError, match=r"has a\.csv and a\.edl"):
        match([Path("a.mp4")], tmp_path)


def lists(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_text("scene,start,end\na,0,5\n")
    return folder


@pytest.mark.parametrize(
    "name", ["Beta.csv", "BETA.CSV", "beta.xlsx", "beta.tsv", "beta.mp4.csv", "beta-Scenes.csv", "beta.txt", "Beta.Edl"]
)
def test_a_list_is_named_as_its_film_whatever_the_case_and_the_program(name: str, tmp_path: Path):
    assert match([Path("beta.mp4")], lists(tmp_path, name)) == ({Path("beta.mp4"): tmp_path / name}, ())


def test_films_without_a_list_and_lists_without_a_film_are_named(tmp_path: Path):
    films = [Path("alpha.mp4"), Path("beta.mp4"), Path("gamma.mp4")]
    found = match(films, lists(tmp_path, "alpha.csv", "gama.csv", "other.xlsx"))
    assert found.lists == {films[0]: tmp_path / "alpha.csv"}
    assert found.notices == (
        f"{tmp_path} has no sheet for 2 of 3 films: beta.mp4, gamma.mp4",
        f"{tmp_path}: 2 sheets named as no film: gama.csv (did you mean gamma.mp4?), other.xlsx",
    )


def test_of_many_films_without_a_list_ten_are_named_and_the_others_counted(tmp_path: Path):
    films = [Path(f"{k:03}.mp4") for k in range(100)]
    (said,) = match(films, lists(tmp_path, "000.csv")).notices
    assert said.endswith("for 99 of 100 films: " + ", ".join(f"{k:03}.mp4" for k in range(1, 11)) + " and 89 more")


def test_the_case_of_a_name_counts_where_it_has_to(tmp_path: Path):
    films = [Path("beta.mp4"), Path("BETA.mp4")]
    found = match(films, lists(tmp_path, "beta.csv", "Beta.csv"))
    assert found.lists == {films[0]: tmp_path / "beta.csv", films[1]: tmp_path / "Beta.csv"}
    films.append(Path("bEta.mp4"))
    found = match(films, tmp_path)
    assert found.lists == {films[0]: tmp_path / "beta.csv"}
    assert [said.partition(": ")[2] for said in found.notices] == [
        "BETA.mp4, bEta.mp4",
        "1 sheet named as no film: Beta.csv (did you mean bEta.mp4?)",
    ]


def test_films_of_one_name_in_two_folders_share_a_list(tmp_path: Path):
    films = [Path("a/x.mp4"), Path("b/x.mov")]
    assert match(films, lists(tmp_path, "X.csv")).lists == dict.fromkeys(films, tmp_path / "X.csv")


def test_tables_that_cannot_be_read_are_named_and_what_programs_leave_behind_is_passed_over(tmp_path: Path):
    lists(tmp_path, "a.csv", "~$b.xlsx", "._b.csv", ".~lock.b.csv#", "b.ods", "b.numbers", "b.xls")
    assert match([Path("a.mp4"), Path("b.mp4")], tmp_path).notices == (
        f"{tmp_path} has no sheet for 1 of 2 films: b.mp4",
        f"{tmp_path}: b.numbers, b.ods, b.xls cannot be read; save as .xlsx or as CSV UTF-8",
    )


def test_a_text_is_a_list_where_it_reads_as_one(tmp_path: Path):
    (tmp_path / "a.txt").write_text("Scene one: they meet, in the kitchen.")
    (tmp_path / "b.txt").write_text("TITLE: b\n001  AX  V  C  00:00:00:00 00:00:10:00 00:00:00:00 00:00:10:00\n")
    films = [Path("a.mp4"), Path("b.mp4")]
    assert match(films, tmp_path).lists == {films[1]: tmp_path / "b.txt"}
    lists(tmp_path, "b.csv")
    assert match(films, tmp_path).lists == {films[1]: tmp_path / "b.csv"}, "a transcript beside it is none"

"""Films are compared by the columns of a table: each alike, intervals over films, and what fits nothing is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scenefer.comparison.film_groups import FEWEST, summarise
from scenefer.core import tables
from scenefer.core.errors import SheetError
from scenefer.core.schema import EMOTIONS
from scenefer.library import groups


def films(happy: list[float | None], names: list[str] | None = None) -> pd.DataFrame:
    """Films of which each shows some joy, and calm faces else; None: too few faces."""
    n = len(happy)
    shares = {e: [None if h is None else 0.0 for h in happy] for e in EMOTIONS}
    shares |= {"happy": happy, "neutral": [None if h is None else 100 - h for h in happy]}
    text = dict.fromkeys(("path", "folder", "record", "state", "made", "gaps", "verdicts"), "")
    counts = dict.fromkeys(
        ("width", "height", "n_scenes", "n_shots", "n_tracks", "n_faces", "n_judged", "n_match"), 1
    ) | {"n_corrected": 0}
    named = names or [f"{k}.mp4" for k in range(n)]
    rest = {"film": [f"{k:016x}" for k in range(n)], "why": None, "duration": 1.0, "coverage": 1.0, "arc": b""}
    frame = pd.DataFrame({"name": named}).assign(**text, **counts, **rest, **shares, largest_gap=None)
    return tables.conform(frame, "films")


def listed(reports: Path, text: str) -> Path:
    place = reports / "table.csv"
    place.write_text(text, encoding="utf-8")
    groups.keep(reports, place)
    return place


def test_a_group_is_the_mean_of_its_films_and_counts_those_without_faces():
    group = summarise("genre", "drama", films([10.0, 20.0, 60.0, None]))
    assert (group.n_films, group.n_without) == (3, 1)
    assert group.percent[EMOTIONS.index("happy")] == pytest.approx(30)
    assert group.low[3] < 30 < group.high[3]
    assert np.isnan(summarise("genre", "drama", films([10.0] * (FEWEST - 1))).low).all()
    assert np.isnan(summarise("genre", "drama", films([None])).percent).all()


def test_intervals_over_films_cover():
    """Of groups of six films drawn from one kind, 95 % of the intervals hold the kind's share; bounds of 200 draws."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        group = summarise("c", "g", films(rng.normal(50, 12, 6).clip(0, 100).tolist()))
        held += group.low[3] <= 50 <= group.high[3]
    assert 180 <= held <= 198


def test_films_are_found_by_their_names_with_or_without_suffix(tmp_path: Path):
    library = films([10.0, 20.0, 30.0, 40.0], ["Ame\u0301lie.mkv", "b.mp4", "c.mp4", "d.mp4"])
    listed(tmp_path, "year;Film;genre\n1950; am\u00e9lie ;drama\n1950;B.MP4;drama\n1960;c;comedy\n1960;nobody;comedy\n")
    found = groups.compare(tmp_path, library)
    assert found is not None
    assert [(g.column, g.name, g.n_films, g.percent[3]) for g in found.groups] == [
        ("year", "1950", 2, 15.0),
        ("year", "1960", 1, 30.0),
        ("genre", "comedy", 1, 30.0),
        ("genre", "drama", 2, 15.0),
    ]
    assert found.notices == [
        "in the table of groups, but no film here: nobody",
        "1 film has no row in the table of groups",
    ]
    groups.write_shares(tmp_path, found.groups)
    written = pd.read_csv(tmp_path / "library" / groups.SHARES)
    assert len(written) == 4 * 7
    assert written.query("group == 'drama' and emotion == 'happy'")["percent"].tolist() == [15.0]


def test_a_column_of_many_values_is_left_out_and_named(tmp_path: Path):
    listed(tmp_path, "film,year\n" + "".join(f"{k}.mp4,{1900 + k}\n" for k in range(20)))
    found = groups.compare(tmp_path, films([50.0] * 20))
    assert found is not None
    assert not found.groups
    assert "year has 20 values" in found.notices[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"genre,year\ndrama,1950\n", "expected `film`"),
        (b"film\na.mp4\n", "expected `film`"),
        (b"", "cannot be read as a table"),
        (b"\xff\xfe\x00\xd8PK\x00\x01", "save the table of groups"),
    ],
)
def test_what_is_no_table_of_groups_is_refused_and_the_kept_one_stays(content: bytes, said: str, tmp_path: Path):
    listed(tmp_path, "film,genre\na,drama\n")
    (tmp_path / "bad.csv").write_bytes(content)
    with pytest.raises(SheetError, match=said):
        groups.keep(tmp_path, tmp_path / "bad.csv")
    assert groups.compare(tmp_path, films([1.0])) is not None
    groups.forget(tmp_path)
    assert groups.compare(tmp_path, films([1.0])) is None

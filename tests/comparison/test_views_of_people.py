"""Once people are known, every person counts alike, and a named one has a view, a verdict and a place in the report."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scenefer.analysis.result import Analysis
from scenefer.analysis.scene_emotions import summarise
from scenefer.analysis.scene_views import EmotionSettings
from scenefer.comparison.run_differences import compare_runs
from scenefer.comparison.scene_comparison import ComparisonSettings, compare, headline
from scenefer.core.language import ENGLISH
from scenefer.core.schema import EMOTIONS
from scenefer.report import people, render
from scenefer.report.moments import moments
from tests.builders import expressions_table, faces_table, samples_table, scenes_table, tracks_table
from tests.comparisons import sheet_of
from tests.reports import analysed, jpeg

SHOT = 4.0  # seconds
Take = tuple[int | None, str]  # the person of a shot of one track, and the only expression in it


def film(*takes: Take, names: dict[int, str] | None = None, **settings: Any) -> Analysis:
    """One scene, a shot of four seconds a take."""
    whole = analysed(("a",))
    seconds = np.arange(0, SHOT * len(takes), 0.2).round(3)
    shot = ((seconds + 1e-9) // SHOT).astype(int)
    shares = {name: [1.0 if takes[k][1] == name else 0.0 for k in shot] for name in EMOTIONS}
    expressions = expressions_table(time=seconds, shot=shot, track=shot, **shares)
    actors = [actor for actor, _ in takes]
    tracks = tracks_table(
        track=range(len(takes)), shot=range(len(takes)), start=[SHOT * k for k in range(len(takes))], actor=actors,
        actor_name=[(names or {}).get(-1 if actor is None else actor) for actor in actors],
    )  # fmt: skip
    scenes = scenes_table(start=[0.0], end=[SHOT * len(takes)], name=["a"])
    samples = samples_table(time=seconds, shot=shot)
    faces = faces_table(time=seconds, crop=[jpeg(90, 120, 200, size=(140, 140))] * len(seconds))
    settings = {"resamples": 200, **settings}
    emotions = summarise(expressions, samples, scenes, tracks, EmotionSettings(**settings))
    return replace(
        whole, faces=faces, tracks=tracks, expressions=expressions, samples=samples, scenes=scenes,
        scene_emotions=emotions,
        run={**whole.run, "settings": {"emotions": {**whole.run["settings"]["emotions"], **settings}}},
    )  # fmt: skip


def row(analysis: Analysis, view: str, emotion: str) -> pd.Series:
    table = analysis.scene_emotions
    return table.loc[(table["view"] == view) & (table["emotion"] == emotion)].iloc[0]


ANA_TWICE = ((0, "happy"), (0, "happy"), (1, "sad"))


def test_every_person_counts_alike_however_many_tracks_there_are():
    found = film(*ANA_TWICE)
    assert row(found, "screen_time", "happy")["percent"] == pytest.approx(200 / 3)
    assert row(found, "equal_actor", "happy")["percent"] == pytest.approx(50)
    assert row(found, "equal_actor", "happy")["n_actors"] == 2
    assert set(found.scene_emotions["view"]) == {"screen_time", "equal_actor"}


def test_unknown_tracks_together_count_as_one_person():
    found = film((0, "happy"), (None, "sad"), (None, "sad"), (None, "angry"))
    assert row(found, "equal_actor", "happy")["percent"] == pytest.approx(50)
    assert row(found, "equal_actor", "sad")["percent"] == pytest.approx(100 / 3)
    assert row(found, "equal_actor", "sad")["n_actors"] == 2


def test_where_nobody_is_known_every_track_counts_alike():
    found = film((None, "happy"), (None, "sad"))
    assert set(found.scene_emotions["view"]) == {"screen_time", "equal_track"}
    assert found.scene_emotions["n_actors"].isna().all()


def test_people_are_resampled_before_their_shots():
    """Of four shots of each of three people the shots say much, of three people three say little."""
    takes = [(actor, emotion) for actor, emotion in enumerate(("happy", "happy", "sad")) for _ in range(4)]
    found = film(*takes, resamples=1000)
    by_shot, by_person = row(found, "screen_time", "happy"), row(found, "equal_actor", "happy")
    assert by_shot["percent"] == pytest.approx(by_person["percent"])
    assert by_person["high"] - by_person["low"] > 1.5 * (by_shot["high"] - by_shot["low"])


def test_a_named_person_has_the_view_of_that_persons_faces():
    found = film(*ANA_TWICE, names={0: "Ana"})
    own = row(found, "character:Ana", "happy")
    assert own["percent"] == pytest.approx(100)
    assert own["coverage"] == pytest.approx(2 / 3)
    assert own["face_seconds"] == pytest.approx(8)
    assert (own["n_tracks"], own["n_shots"], own["n_actors"], own["evidence"]) == (2, 2, 1, "enough")


def test_the_percentages_of_a_person_do_not_depend_on_the_order_of_rows():
    found = film(*ANA_TWICE, names={0: "Ana"})
    shuffled = found.expressions.sample(frac=1, random_state=0)
    again = summarise(shuffled, found.samples, found.scenes, found.tracks, EmotionSettings(resamples=200))
    pd.testing.assert_frame_equal(found.scene_emotions, again)


def test_an_intention_for_a_character_is_compared_with_that_persons_faces():
    found = film(*ANA_TWICE, (1, "sad"), names={0: "Ana", 1: "Budi"})
    for_ana = sheet_of(found, "happy", character=["ana "])
    for_budi = for_ana.assign(intended="happy", character="Budi")
    comparison = compare(found, pd.concat([for_ana, for_budi]))
    rows = headline(comparison)[0]
    assert rows[["character", "view", "verdict", "mass"]].values.tolist() == [
        ["ana", "character:Ana", "match", pytest.approx(100)],
        ["Budi", "character:Budi", "mismatch", pytest.approx(0)],
    ]
    assert comparison.counts["compared"] == 2
    assert headline(comparison)[1].view == "screen_time"
    assert not any("compared with all faces" in notice for notice in comparison.notices)


def test_a_character_is_found_however_an_accent_is_stored():
    found = film(*ANA_TWICE, names={0: "Zoe\u0308", 1: "Budi"})
    comparison = compare(found, sheet_of(found, "happy", character=["Zo\u00eb"]))
    assert headline(comparison)[0]["view"].tolist() == ["character:Zoe\u0308"]


def test_the_report_tells_a_scenes_intentions_for_several_characters_apart():
    found = film(*ANA_TWICE, (1, "sad"), names={0: "Ana", 1: "Budi"})
    found = replace(found, scenes=scenes_table(start=[0.0, 12.0], end=[12.0, 13.0], name=["a", "b"]))
    found = replace(found, scene_emotions=pd.concat([found.scene_emotions, found.scene_emotions.assign(scene=1)]))
    sheet = sheet_of(found, "happy", None, character=["Ana", None])
    page = render(found, compare(found, pd.concat([sheet, sheet.head(1).assign(character="Budi")])))
    assert "Of 2 judged intentions: 1 as intended and 1 worth a look." in page
    marks = re.findall(r"</b>([a-z ]+)</span> <small>(for \w+)</small>", page)
    assert marks == [("as intended", "for Ana"), ("worth a look", "for Budi")]


def test_what_is_intended_for_another_is_not_judged_by_the_faces_of_the_person_of_the_view():
    found = film(*ANA_TWICE, names={0: "Ana"})
    comparison = compare(found, sheet_of(found, "sad", character=["Bob"]), ComparisonSettings(view="character:Ana"))
    (shown,) = headline(comparison)[0].to_dict("records")
    assert (shown["view"], shown["intended"], shown["verdict"]) == ("character:Ana", None, None)
    table = comparison.table
    assert set(table.loc[table["character"] == "Bob", "view"]) == {"screen_time", "equal_actor"}
    assert {one.n_labelled for one in comparison.agreements if one.view == "character:Ana"} == {0}
    assert {one.n_labelled for one in comparison.agreements if one.view == "screen_time"} == {1}


def test_the_moment_of_a_character_is_of_that_persons_faces():
    """Budi, who shows least of what is intended for Ana, comes first."""
    found = film((1, "sad"), (0, "neutral"), (0, "angry"), names={0: "Ana", 1: "Budi"})
    comparison = compare(found, sheet_of(found, "angry", character=["Ana"]))
    two = replace(found, pictures=found.pictures.head(3).assign(time=[1.0, 5.0, 9.0]))
    (moment,) = moments(two, comparison, ENGLISH)
    assert "Intended: angry (Ana)" in moment.sentence
    assert moment.time == 5.0


def test_a_character_who_is_not_seen_is_not_judged():
    found = film(*ANA_TWICE, names={0: "Ana", 1: "Budi"})
    two = replace(found, scenes=scenes_table(start=[0.0, 8.0], end=[8.0, 12.0], name=["a", "b"]))
    scene = (found.expressions["time"] >= 8).astype("Int64")
    two = replace(two, expressions=found.expressions.assign(scene=scene), samples=found.samples.assign(scene=scene))
    sheet = sheet_of(two, "happy", "sad", character=["Budi", "Budi"])
    rows = headline(compare(two, sheet))[0]
    assert rows["why"].tolist() == ["too few faces", None]
    assert rows["verdict"].tolist()[1] == "match"


@pytest.mark.parametrize(
    ("takes", "names", "said"),
    [
        pytest.param([(None, "sad")], None, "people are not told apart", id="nobody known"),
        pytest.param([(0, "sad")], None, "nobody has a name in this run; people get names by Edit", id="nobody named"),
        pytest.param([(0, "sad")], {0: "Budi"}, "no person of this run is named Ana", id="another name"),
    ],
)
def test_without_a_person_of_the_name_the_scene_is_compared_and_it_is_said_why(
    takes: list[Take], names: dict[int, str] | None, said: str
):
    found = film(*takes, names=names)
    comparison = compare(found, sheet_of(found, "sad", character=["Ana"]))
    assert headline(comparison)[0]["view"].tolist() == ["screen_time"]
    assert any(said in notice for notice in comparison.notices)


@pytest.mark.parametrize(
    ("view", "shown"),
    [("equal_actor", "equal_actor"), ("equal_track", "equal_actor"), ("character:Ana", "character:Ana")],
)
def test_the_views_of_people_can_lead(view: str, shown: str):
    found = film(*ANA_TWICE, names={0: "Ana"})
    comparison = compare(found, sheet_of(found, "happy"), ComparisonSettings(view=view))
    rows, figures = headline(comparison)
    assert (comparison.settings.view, rows["view"].tolist(), figures.view) == (shown, [shown], shown)


def test_intervals_of_fewer_than_three_people_are_within_one_take():
    two, three = film(*ANA_TWICE), film(*ANA_TWICE, (2, "sad"))
    within = [
        headline(compare(found, sheet_of(found, "happy"), ComparisonSettings(view="equal_actor")))[0]["within"].iloc[0]
        for found in (two, three)
    ]
    assert within == ["one take", "people"]


def test_a_single_still_is_compared_though_nothing_says_how_surely():
    found = film((0, "happy"))
    one = found.expressions.iloc[:1].assign(weight=1.0)
    still = replace(
        found, expressions=one, samples=samples_table(time=[0.0], weight=1.0), film=replace(found.film, kind="still")
    )
    row = headline(compare(still, sheet_of(still, "happy")))[0].iloc[0]
    assert row[["verdict", "detected_happy", "low_happy", "high_happy"]].tolist() == ["partial", 100.0, 0.0, 100.0]


def test_runs_are_compared_by_the_views_that_both_have():
    known, unknown = film(*ANA_TWICE, names={0: "Ana"}), film((None, "happy"), (None, "sad"))
    assert set(compare_runs(known, unknown).table["view"]) == {"screen_time"}
    assert set(compare_runs(known, known).table["view"]) == {"screen_time", "equal_actor", "character:Ana"}


def test_the_report_shows_people_in_order_of_appearance_without_rank_or_verdict():
    found = film((0, "happy"), (1, "sad"), (1, "sad"), (None, "sad"), names={0: "<script>alert(1)</script>"})
    html = render(found, compare(found, sheet_of(found, "happy")))
    section = html[html.index('id="people"') : html.index('id="tracks"')]
    assert [card["name"] for card in shown(found)["cards"]] == ["<script>alert(1)</script>", "person 2"]
    assert "<script>alert" not in section
    assert "&lt;script&gt;alert(1)" in section
    for word in ("verdict", "match", "score", "rank", "felt", "feels"):
        assert word not in section.lower()
    assert "1 track (4.0 s) could not be told" in section
    assert section.count("<img") == 2


def shown(analysis: Analysis) -> dict[str, Any]:
    cards = people.people_cards(analysis, float(analysis.scenes["end"].max()))
    assert cards is not None
    return cards


def test_a_person_is_seen_for_the_seconds_of_all_tracks_and_usable_for_those_that_count():
    found = film((0, "happy"), (1, "sad"), (0, "happy"))
    expressions = found.expressions.assign(usable=found.expressions["track"] != 2)
    card, _ = shown(replace(found, expressions=expressions))["cards"]
    assert (card["seen"], card["usable"], card["first"], card["shots"]) == ("8.0 s", "4.0 s", "0:00.0", "2 shots")
    assert card["most"].startswith("happy 100")


def test_an_arc_is_blank_where_the_person_is_not_seen_and_its_parts_fill_its_height():
    faces = expressions_table(time=[0.0, 5.0], happy=[0.25, 1.0], sad=[0.75, 0.0], weight=0.2)
    drawn = {part["emotion"]: part["path"] for part in people.arc(faces, 32.0)}
    assert drawn == {"happy": "M0 40V30h1V40zM25 40V0h1V40z", "sad": "M0 30V0h1V30z"}


def test_an_arc_is_as_wide_as_the_film_however_short_it_is():
    """A face that is seen all the time leaves no bar out, and none stands beyond the last."""
    found = shown(film((0, "happy"), (0, "happy"), (0, "happy")))
    assert (found["bars"], found["bar"]) == (30, "0.4 s")
    path = next(part["path"] for part in found["cards"][0]["arc"] if part["emotion"] == "happy")
    assert [int(x) for x in re.findall(r"M(\d+) ", path)] == list(range(30))


def test_people_of_stills_are_seen_in_pictures_and_not_for_seconds():
    found = film((0, "happy"), (1, "sad"), (0, "happy"))
    stills = replace(found, film=replace(found.film, kind="stills"), samples=found.samples.assign(weight=1.0))
    html = render(stills)
    section = html[html.index('id="people"') : html.index('id="tracks"')]
    assert "seen in 2 pictures; first in picture 1" in section
    assert "seen in 1 picture; first in picture 2" in section
    assert "A bar stands for 1 picture, in their order" in section
    assert "0:00" not in section


def test_without_people_there_is_no_section_of_them():
    assert people.people_cards(film((None, "happy")), 4.0) is None
    assert 'id="people"' not in render(film((None, "happy")))


def test_a_persons_calm_face_is_taken_off_beside_what_is_read_where_it_is_asked_for():
    takes: list[Take] = [(0, "sad"), (0, "sad"), (0, "sad"), (1, "happy")]
    plain, asked = film(*takes), film(*takes, baseline="person")
    assert "own_baseline" not in set(plain.scene_emotions["view"])
    assert row(asked, "screen_time", "sad")["percent"] == row(plain, "screen_time", "sad")["percent"] == 75
    taken = 12 / (12 + 30)  # of 12 seconds, always sad; the other person is seen in one shot
    assert row(asked, "own_baseline", "sad")["percent"] == pytest.approx(75 * (1 - taken))
    assert row(asked, "own_baseline", "neutral")["percent"] == pytest.approx(75 * taken)
    assert row(asked, "own_baseline", "happy")["percent"] == pytest.approx(25)
    settings = ComparisonSettings(view="own_baseline")
    compared = compare(asked, sheet_of(asked, "sad"), settings)
    assert set(headline(compared)[0]["view"]) == {"own_baseline"}
    assert headline(compared)[0]["detected_sad"].iloc[0] == pytest.approx(75 * (1 - taken))
    fallen = compare(plain, sheet_of(plain, "sad"), settings)
    assert fallen.settings.view == "screen_time"
    assert 'needs baseline = "person" under [emotions]' in fallen.notices[0]
    assert "calm face" in render(asked)
    assert "calm face" not in render(plain)

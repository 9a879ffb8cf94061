"""The report says what the tables say, in one file that stays inside its page."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import replace
from fractions import Fraction
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from plotly import graph_objects, offline

from benchmarks.report import long_film
from scenefer.analysis import keyframes
from scenefer.analysis.scene_emotions import summarise
from scenefer.analysis.scene_views import EmotionSettings
from scenefer.comparison import scene_comparison
from scenefer.comparison.coding_sample import draw_sample
from scenefer.core.film import Film
from scenefer.core.language import Language
from scenefer.core.schema import EMOTIONS
from scenefer.core.tables import conform, empty
from scenefer.report import (
    build,
    cards,
    coding_page,
    coverage,
    formatting,
    images,
    intended_vs_detected,
    people,
    plotly_arc,
    plotly_lanes,
    render,
    scene_arc,
)
from scenefer.report.emotion_curves import COLOURS
from tests.builders import (
    expressions_table,
    samples_table,
    shots_table,
    tracks_table,
)
from tests.reports import NASTY, Page, analysed, compared, intending, jpeg, part_of

# The page


def test_names_and_notes_are_text_whatever_they_contain():
    sheet = pd.DataFrame(
        {"scene": NASTY, "start": 0.0, "end": 1.0, "intended": "", "character": NASTY, "note": NASTY[::-1]}
    )
    film = Film(Path('<img src=x onerror=alert(1)>"\udcff.mp4'), "0" * 16, 1280, 720, 50.0, Fraction(25))
    whole = analysed(NASTY, film=film, sheet=sheet)
    whole.run["warnings"] = [NASTY[1]]
    page = Page(render(whole))
    assert len([tag for tag, _ in page.elements if tag == "script"]) == len(page.scripts) == 16
    assert {source.split(",")[0] for source in page.attributes("src")} == {"data:image/jpeg;base64"}
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    for text in (*NASTY, '<img src=x onerror=alert(1)>"\ufffd.mp4'):
        assert text in page.text


def test_the_page_allows_its_own_scripts_and_nothing_else():
    page = Page(render(analysed()))
    policy = next(attributes["content"] for _, attributes in page.elements if "http-equiv" in attributes)
    assert policy is not None
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    hashes = [
        f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"
        for script in page.scripts
        if script[:1] != "{"
    ]
    assert rules == {
        "default-src": "'none'",
        "script-src": " ".join(hashes),
        "style-src": "'unsafe-inline'",
        "img-src": "data:",
        "media-src": "blob:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    links = page.attributes("href")
    assert links
    assert all(link.startswith("#") for link in links)


def test_every_link_and_label_of_the_page_leads_somewhere():
    page = Page(render(analysed()))
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    assert {link.removeprefix("#") for link in page.attributes("href")} <= set(ids)
    assert set(page.attributes("aria-labelledby")) <= set(ids)
    pictures = [attributes for tag, attributes in page.elements if tag == "img"]
    assert pictures
    assert all("alt" in attributes for attributes in pictures)


def test_the_bundle_is_the_one_that_plotly_was_made_for():
    bundle = files("scenefer.report").joinpath("plotly-basic.min.js").read_text(encoding="utf-8")
    assert f"plotly.js (basic - minified) v{offline.get_plotlyjs_version()}" in bundle[:200]
    assert "MIT License" in files("scenefer.report").joinpath("plotly-licence.txt").read_text(encoding="utf-8")


def test_a_film_that_was_read_in_part_says_so_before_anything_else():
    whole = analysed()
    whole.run.update(state="partial", warnings=["1 packet could not be decoded, at 0:00:12.000"])
    text = Page(render(whole)).text
    assert (
        text.index("This report is partial") < text.index("1 packet could not be decoded") < text.index("at a glance")
    )


@pytest.mark.parametrize(("duration", "said"), [(600.0, "10 min 00 s"), (None, "30 s"), (20.0, "30 s")])
def test_the_length_is_the_films_whatever_part_of_it_was_read(duration: float | None, said: str):
    part = part_of(analysed(), 60.0)
    html = render(replace(part, film=replace(part.film, duration=duration)))
    assert f"<dt>Length</dt><dd>{said}</dd>" in html


def test_guessed_scenes_are_called_guessed():
    listed, guessed = analysed(), analysed()
    guessed.scenes["source"] = "guessed"
    assert "guessed scene" not in Page(render(listed)).text
    assert Page(render(guessed)).text.count("guessed scene") == 3


def test_the_sentence_on_what_a_detected_expression_is_not_stands_in_the_footer():
    html = render(analysed())
    assert formatting.NO_FEELING in html[html.index("<footer") :]


@pytest.mark.parametrize("word", ["felt", "feels angry", "is angry", "is happy", "true emotion"])
def test_no_sentence_claims_a_feeling(word: str):
    page = Page(render(analysed()))
    assert word not in page.text.replace(formatting.NO_FEELING, "")


def test_a_film_without_faces_pictures_or_scenes_has_a_report():
    bare = analysed(("nobody",), pictures=empty("pictures"))
    html = render(bare)
    text = Page(html).text
    assert "No scene shows enough usable faces for percentages." in text
    assert "No picture of this scene was kept." in text
    assert 'class="still"' not in html
    none = analysed(
        ("nobody",),
        **{name: empty(name) for name in ("pictures", "scenes", "scene_emotions", "shots", "samples", "frames")},
    )
    assert "scenefer" in Page(render(none)).text


def test_without_crops_there_are_no_pictures_of_faces_but_their_readings():
    whole = analysed()
    whole.faces["crop"] = None
    page = Page(render(whole))
    assert not any("Face of track" in alt for alt in page.attributes("alt"))
    assert "Strongest faces" in page.text
    assert "Pictures of faces are off" in page.text


@pytest.mark.slow
def test_the_report_of_a_long_film_stays_small():
    """Two hours, 120 scenes, pictures that compress badly."""
    run = long_film()
    assert len(render(run, scene_comparison.of_run(run)).encode()) < 15e6


# Cards


def test_a_card_gives_the_percentages_of_the_table():
    whole = analysed()
    card = cards.scene_cards(whole)[0]
    table = whole.scene_emotions
    rows = table.loc[(table["scene"] == 0) & (table["view"] == "screen_time")]
    assert [row["emotion"] for row in card["distribution"]] == list(EMOTIONS)
    assert [row["share"] for row in card["distribution"]] == rows["percent"].round(2).tolist()
    assert card["leader"]["emotion"] == "angry"
    assert card["covered"] == "Faces usable in 100\N{NO-BREAK SPACE}% of the scene, 4 tracks, 4 shots."
    assert card["limits"] == ""


@pytest.mark.parametrize(
    ("actors", "said"),
    [
        ([0, 0, 1, 1], "2 people"),
        ([0, 1, None, None], "2 people and 2 tracks that could not be told"),
        ([0, 0, 0, None], "1 person and 1 track that could not be told"),
        ([None] * 4, "4 tracks"),
    ],
)
def test_tracks_that_could_not_be_told_are_no_person(actors: list[int | None], said: str):
    whole = analysed()
    whole.tracks["actor"] = pd.array([*actors, 2, 2, 2, 2], "Int64")  # in another scene somebody is known
    summary = summarise(whole.expressions, whole.samples, whole.scenes, whole.tracks, EmotionSettings(resamples=20))
    card = cards.scene_cards(replace(whole, scene_emotions=summary))[0]
    assert card["covered"] == f"Faces usable in 100\N{NO-BREAK SPACE}% of the scene, {said}, 4 shots."


def test_a_scene_without_evidence_has_words_and_no_bars():
    card = cards.scene_cards(analysed())[2]
    assert card["distribution"] == []
    assert card["leader"] is None
    assert not card["clear"]
    assert card["covered"] == "No usable face in the scene."
    assert card["limits"] == "Too few faces for percentages."


def test_what_the_sheet_intends_stands_in_the_card():
    sheet = pd.DataFrame(
        {
            "scene": ["joy", "joy", "rage"],
            "start": [10.0, 10.0, 0.0],
            "end": [20.0, 20.0, 10.0],
            "intended": ["happy:0.6;neutral:0.4", "sad", None],
            "character": ["Ada", "Bo", None],
            "note": ["at last", "", None],
        }
    )
    rage, joy, _ = cards.scene_cards(analysed(sheet=sheet))
    assert rage["intended"] == []
    assert [entry["shares"] for entry in joy["intended"]] == [{"happy": 0.6, "neutral": 0.4}, {"sad": 1.0}]
    assert [(entry["character"], entry["note"]) for entry in joy["intended"]] == [("Ada", "at last"), ("Bo", "")]
    assert joy["meant"] == pytest.approx({"happy": 0.3, "neutral": 0.2, "sad": 0.5})


def test_the_pictures_of_the_report_are_files_too():
    whole = analysed()
    built = build(whole)
    page = str(built["report.html"])
    shown = [name for name in built if name.startswith("pictures/")]
    assert {name.split("-")[2] for name in shown} == {"keyframe", "face"}
    for name in shown:
        content = built[name]
        assert isinstance(content, bytes)
        assert b64encode(content).decode() in page
        assert cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) is not None
    whole.faces["crop"] = None
    assert not any("face" in name for name in build(whole))


# Intended against detected


def test_verdicts_stand_on_the_first_screen_and_the_largest_gap_comes_first():
    whole, found = compared(rage="angry", joy="sad", empty="fear")
    scenes = cards.scene_cards(whole, intended_vs_detected.of_scenes(found))
    assert [scene["verdicts"][0]["verdict"] for scene in scenes] == ["match", "mismatch", "unjudged"]
    overview = intended_vs_detected.overview(found, scenes)
    assert overview is not None
    assert overview["headline"] == "Of 2 judged scenes: 1 as intended and 1 worth a look."
    assert [gap["card"]["name"] for gap in overview["gaps"]] == ["joy"]
    assert overview["n_unjudged"] == 1
    page = Page(render(whole, found))
    assert "Where to look" in page.text
    assert "happy leads with" in page.text
    assert "The rule of the verdicts" in page.text


@pytest.mark.parametrize(
    ("match", "partial", "mismatch", "sentence"),
    [
        (5, 2, 5, "Of 12 judged scenes: 5 as intended, 2 in doubt and 5 worth a look."),
        (0, 0, 2, "Of 2 judged scenes: 2 worth a look."),
        (0, 1, 0, "The one judged scene: in doubt."),
        (13, 0, 0, "Of 13 judged intentions: 13 as intended."),
    ],
)
def test_the_headline_counts_verdicts_in_plain_english(match: int, partial: int, mismatch: int, sentence: str):
    verdicts = ["match"] * match + ["partial"] * partial + ["mismatch"] * mismatch
    assert intended_vs_detected._headline(verdicts, 12, Language()) == sentence


@pytest.mark.parametrize(
    ("evidence", "within", "said"),
    [
        ("one take", "one take", ", one take"),
        ("enough", "one take", ", fewer than three shots"),
        ("enough", "shots", ""),
    ],
)
def test_a_gap_says_what_its_evidence_is(evidence: str, within: str, said: str):
    """That of the verdict, which may be on one character, and not that of the scene."""
    whole, found = compared(rage="angry", joy="sad", empty="fear")
    html = render(whole, replace(found, table=found.table.assign(evidence=evidence, within=within)))
    assert f'<span class="when"><time datetime="PT10.000S">0:10–0:20</time>{said}</span>' in html
    findings = [line for line in html.splitlines() if 'class="finding"' in line]
    assert [line.endswith(f"{said}.</p>") for line in findings[:2]] == [True, True]


def test_without_intentions_nothing_is_compared():
    assert scene_comparison.of_run(analysed()) is None
    assert scene_comparison.of_run(analysed(sheet=intending(rage=None, joy=None, empty=None))) is None
    assert "Where to look" not in Page(render(analysed())).text


def test_faces_for_the_intention_stand_before_those_against_it():
    whole, found = compared(rage="angry", joy="sad", empty=None)
    rage, joy, _ = cards.scene_cards(whole, intended_vs_detected.of_scenes(found))
    assert {face["side"] for face in rage["faces"]} == {"for"}
    assert {face["emotion"] for face in rage["faces"]} == {"angry"}
    assert [(face["side"], face["emotion"], face["leader"]) for face in joy["faces"]] == [
        ("near", "sad", "happy"),  # no face reads as sad most, and these come closest
        ("near", "sad", "happy"),
        ("against", "happy", ""),
        ("against", "happy", ""),
    ]


def test_frames_are_counted_from_the_first_picture_where_the_sound_begins_before_it():
    """As the player counts them."""
    late = analysed()
    late = replace(late, frames=late.frames.assign(time=late.frames["time"] + 0.48))
    clock = plotly_arc.arc(late, 30.0)["data"][0]
    assert "frame 0" in next(words for at, words in zip(clock["x"], clock["text"], strict=True) if at and at >= 0.48)


def test_a_ribbon_over_the_arc_has_the_colours_of_what_was_intended():
    whole, _ = compared(rage="angry", joy="happy:0.6;neutral:0.4", empty=None)
    meant = {card["id"]: card["meant"] for card in cards.scene_cards(whole)}
    plain, drawn = plotly_arc.arc(whole, 30.0), plotly_arc.arc(whole, 30.0, meant)
    added = drawn["layout"]["shapes"][len(plain["layout"]["shapes"]) :]
    assert [(shape["x0"], shape["x1"], shape["fillcolor"]) for shape in added] == [
        (0.0, 10.0, COLOURS["angry"]),
        (10.0, 20.0, COLOURS["happy"]),
        (10.0, 20.0, COLOURS["neutral"]),
    ]
    line = drawn["data"][-1]
    assert line["name"] == "share of what was intended"
    angry = next(trace for trace in drawn["data"] if trace.get("name") == "angry")  # the lowest of the areas
    assert line["y"][1:10] == angry["y"][1:10]
    assert line["y"][line["x"].index(None)] is None  # it does not go on into a scene that was to show something else
    heights = [shape["y1"] - shape["y0"] for shape in added]
    assert heights[1:] == pytest.approx([0.6 * heights[0], 0.4 * heights[0]])
    assert max(shape["y1"] for shape in added) <= drawn["layout"]["yaxis"]["range"][1]


def test_what_a_sheet_says_is_text_in_a_comparison_too():
    whole, found = compared(rage="angry", joy="sad", empty=None)
    hostile = '<img src=x onerror="alert(1)">'
    for table in (whole.scenes, found.table):
        table["name"] = table["name"].replace("joy", hostile)
    text = render(whole, found)
    assert hostile not in text
    assert hostile in Page(text).text


def test_the_strongest_faces_are_one_of_every_track_before_a_second_of_any():
    faces = cards.scene_cards(analysed())[0]["faces"]
    assert sorted(face["track"] for face in faces) == [0, 1, 2, 3]
    assert {face["emotion"] for face in faces} == {"angry"}


def test_the_box_of_a_face_is_drawn_inside_its_crop():
    """A crop is 1.4 times the larger side of the box: here 100 by 100 pixels in 140 by 140."""
    box = cards.scene_cards(analysed())[0]["faces"][0]["box"]
    assert box == {"left": 14.3, "top": 14.3, "width": 71.4, "height": 71.4}


def test_beyond_the_end_of_the_picture_a_face_has_grey_and_no_smeared_edge():
    """A face at the left edge: 20 of the 140 pixels of its crop lie outside the film."""
    whole = analysed()
    whole.faces[["x0", "x1"]] = (0.0, 100.0)
    person = replace(whole, tracks=whole.tracks.assign(actor=0))
    listed = people.people_cards(person, 30.0)
    assert listed is not None
    faces = [cards.scene_cards(whole)[0]["faces"][0], listed["cards"][0]]
    content = coding_page.render(whole, draw_sample(whole.expressions, 20))
    judged = re.findall(r'"crop":"(data:image/jpeg;base64,[^"]+)"', content)
    assert len(judged) == 20
    for picture in (*(face["picture"] for face in faces), *judged):
        shown = cv2.imdecode(np.frombuffer(images.unpacked(picture), np.uint8), cv2.IMREAD_COLOR)
        beyond = round(20 / 140 * shown.shape[1])
        assert np.abs(shown[:, : beyond - 2].astype(int) - 70).max() < 12
        assert np.abs(shown[:, beyond + 2 :].astype(int) - 70).mean() > 30
    assert images.inside_of((600, 300, 700, 400), 1280, 720) == (0.0, 0.0, 1.0, 1.0)


def test_the_picture_of_a_scene_is_of_the_shot_with_faces_and_not_black():
    stills = conform({"time": [0.0, 2.0, 3.9, 6.0, 8.0], "jpeg": [jpeg(9, 9, 9)] * 5}, "pictures")
    stills.at[2, "jpeg"] = cv2.imencode(".jpg", np.zeros((9, 16, 3), np.uint8))[1].tobytes()
    shots = shots_table(start=[0.0, 3.0, 7.0], end=[3.0, 7.0, 20.0])
    assert keyframes.keyframes(stills, shots, {1: 2.0}, 0.0, 20.0, 2)["time"].tolist() == [6.0, 8.0]
    assert keyframes.keyframes(stills, shots, {}, 0.0, 1.0, 2)["time"].tolist() == [0.0]
    assert len(keyframes.keyframes(stills, shots, {}, 4.5, 5.0, 2)) == 0


def test_a_picture_that_cannot_be_read_is_left_out():
    assert images.packed(b"no JPEG", 100) is None
    assert images.packed(None, 100) is None


def test_the_tracks_listed_are_those_with_a_usable_face_and_their_leaders_are_weighted():
    rows = expressions_table(
        time=[0.0, 0.2, 0.4, 0.6], track=[0, 0, 1, 2], happy=[0.9, 0.1, 0.6, 0.6], sad=[0.1, 0.9, 0.4, 0.4],
        weight=[0.2, 0.4, 0.2, 0.2], usable=[True, True, True, False], face=[0, 1, 2, 3],
    )  # fmt: skip
    tracks = tracks_table(start=[0.0, 0.4, 0.6], end=[0.2, 0.4, 0.6])
    listed, leaders = cards.track_cards(analysed(expressions=rows, tracks=tracks))
    assert leaders == {0: "sad", 1: "happy"}
    assert [(card["track"], card["emotion"], card["percent"], card["when"]) for card in listed] == [
        (0, "sad", "63\N{NO-BREAK SPACE}%", "0:00–0:00"),
        (1, "happy", "60\N{NO-BREAK SPACE}%", "0:00"),
    ]


def test_pictures_of_a_folder_are_numbered_and_have_no_arc():
    whole = analysed(("stills", "more"))
    whole = replace(whole, film=replace(whole.film, kind="stills"))
    card = cards.scene_cards(whole)[0]
    assert (card["when"], card["about"]) == ("4 pictures", [])
    assert [face["when"] for face in card["faces"]] != []
    assert {face["when"] for face in card["faces"]} <= {"picture 1", "picture 2", "picture 3", "picture 4"}
    page = Page(render(whole))
    assert "arc" not in page.attributes("id")
    assert "8 pictures" in page.text


def test_what_a_scene_of_stills_lacks_is_said_in_pictures():
    about = {"evidence": "insufficient", "face_seconds": 4.0, "n_shots": 3}
    assert formatting.limits(about, stills=True) == ("Too few faces for percentages: usable ones in 3 pictures only.")
    whole = analysed()
    text = Page(render(replace(whole, film=replace(whole.film, kind="stills")))).text
    assert "too few faces for percentages with usable faces in less than 10 % of it." in text
    assert "less than 2 s of usable faces" in Page(render(whole)).text


@pytest.mark.parametrize(("n", "bars", "each"), [(3, 3, 1.0), (160, 160, 1.0), (161, 81, 2.0), (240, 120, 2.0)])
def test_a_bar_of_stills_stands_for_whole_pictures(n: int, bars: int, each: float):
    whole = analysed()
    assert people._bars(replace(whole, film=replace(whole.film, kind="stills")), float(n)) == (bars, each)


def test_a_scene_that_is_a_number_is_called_a_scene():
    card = cards.scene_cards(analysed(("7", "empty")))[0]
    assert card["name"] == "Scene 7"


def test_time_is_accounted_for_with_the_reasons_of_rejection():
    samples = samples_table(
        weight=[6.0, 3.0, 0.5, 0.5],
        state=["face", "no face", "rejected", "rejected"],
        why=[None, None, "small", "blurred"],
    )
    rows = coverage.accounted(analysed(samples=samples))
    assert [(row["state"], row["share"]) for row in rows] == [("face", 60.0), ("no-face", 30.0), ("rejected", 10.0)]
    assert rows[2]["reasons"] == ["face blurred 5\N{NO-BREAK SPACE}%", "face too small 5\N{NO-BREAK SPACE}%"]


# Figures


def test_figures_are_what_plotly_understands():
    whole = analysed()
    for figure in (plotly_arc.arc(whole, 30.0), plotly_lanes.lanes(whole, {0: "angry"}, 30.0)):
        graph_objects.Figure({"data": figure["data"], "layout": figure["layout"]})  # raises at an unknown property
        json.dumps(figure, allow_nan=False)


def test_the_arc_is_full_where_faces_are_and_blank_where_none_is():
    time = [0.0, 0.2, 0.4, 2.0, 2.2]
    rows = expressions_table(
        time=time, happy=[1.0, 1.0, 1.0, 0.0, 0.0], sad=[0.0, 0.0, 0.0, 1.0, 1.0], track=[0, 0, 0, 1, 1]
    )
    drawn = plotly_arc.arc(analysed(("a", "b"), expressions=rows), 20.0)
    neutral = next(trace for trace in drawn["data"] if trace.get("name") == "neutral")
    assert neutral["x"] == [0.0, 0.0, 0.2, 0.4, 0.6, 0.6, 2.0, 2.0, 2.2, 2.4, 2.4]
    assert neutral["y"] == [0, 100, 100, 100, 100, 0, 0, 100, 100, 100, 0]
    happy = next(trace for trace in drawn["data"] if trace.get("name") == "happy")
    assert happy["y"] == [0, 100, 100, 100, 100, 0, 0, 0, 0, 0, 0]
    assert happy["text"][1] == "100\N{NO-BREAK SPACE}%"


def test_the_arc_breaks_at_a_cut():
    rows = expressions_table(time=[0.0, 0.2], shot=[0, 1], track=[0, 1])
    neutral = plotly_arc.arc(analysed(("a", "b"), expressions=rows), 20.0)["data"][1]
    assert neutral["x"] == [0.0, 0.0, 0.2, 0.2, 0.2, 0.2, 0.4, 0.4]


def test_the_arc_of_a_long_film_has_few_points():
    rows = expressions_table(time=(np.arange(36_000) / 5).tolist(), track=0)
    assert len(plotly_arc.arc(analysed(("a", "b"), expressions=rows), 7200.0)["data"][1]["x"]) < 1600


def test_tracks_at_one_moment_lie_in_different_lanes():
    tracks = tracks_table(start=[0.0, 1.0, 5.0], end=[4.0, 3.0, 6.0])
    drawn = plotly_lanes.lanes(analysed(tracks=tracks), {0: "sad", 1: "sad"}, 30.0)
    assert {trace["name"]: trace["y"] for trace in drawn["data"]} == {"sad": [0, 1], "no usable face": [0]}


def test_the_arc_inside_a_scene_has_its_cuts_and_the_share_of_what_was_intended():
    rows = expressions_table(
        time=[0.0, 0.2, 0.4, 5.0, 5.2], happy=[0.5, 0.5, 0.5, 1.0, 1.0], sad=[0.5, 0.5, 0.5, 0.0, 0.0],
        track=[0, 0, 0, 1, 1], shot=[0, 0, 0, 1, 1],
    )  # fmt: skip
    shots = shots_table(start=[0.0, 5.0, 10.0], end=[5.0, 10.0, 15.0])
    drawn = scene_arc.arc(rows, shots, 0.0, 10.0, {"sad": 1.0})
    assert drawn["cuts"] == [500.0]
    assert len(drawn["areas"]) == len(EMOTIONS)
    assert drawn["areas"][0]["colour"] == COLOURS["neutral"]  # the largest below, the smallest above
    assert (
        drawn["areas"][0]["path"] == "M0 100L0 100L0 0L20 0L40 0L60 0L60 100L500 100L500 0L520 0L540 0L540 100V100H0Z"
    )
    assert drawn["line"] == "M0 50L20 50L40 50L60 50M500 100L520 100L540 100"
    assert scene_arc.arc(rows, shots, 0.0, 10.0, {})["line"] == ""


# Words


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (formatting.percent(61.4), "61\N{NO-BREAK SPACE}%"),
        (formatting.percent(0.2), "<1\N{NO-BREAK SPACE}%"),
        (formatting.percent(0.5), "<1\N{NO-BREAK SPACE}%"),
        (formatting.percent(0.51), "1\N{NO-BREAK SPACE}%"),
        (formatting.percent(0.0), "0\N{NO-BREAK SPACE}%"),
        (formatting.interval(50.6, 71.2), "51–71"),
        (formatting.interval(2.6, 3.2), "3–3"),
        (formatting.moment(66.28), "1:06"),
        (formatting.moment(66.26, True), "1:06.3"),
        (formatting.moment(59.97, True), "1:00.0"),
        (formatting.moment(3723.0), "1:02:03"),
        (formatting.length(6.0), "6.0 s"),
        (formatting.length(66.3), "1 min 06 s"),
        (formatting.length(7080.0), "1 h 58 min"),
        (formatting.shots(1), "1 shot"),
        (formatting.shots(1200), "1,200 shots"),
        (formatting.printable(float("nan")), ""),
        (formatting.printable("caf\udce9"), "caf\ufffd"),
        (formatting.printable("a\x1b[31m\x9b\u202eb\tc"), "a\\x1b[31m\\x9b\\u202eb\tc"),
    ],
)
def test_numbers_are_written_no_finer_than_they_are_known(said: str, text: str):
    assert said == text


@pytest.mark.parametrize(
    ("leaders", "n_scenes", "sentence"),
    [
        ([], 2, "No scene shows enough usable faces for percentages."),
        ([("a", "happy", True)], 1, "Happy leads in a."),
        (
            [("a", "happy", True), ("b", "sad", True), ("c", "happy", True), ("d", "fear", False)],
            5,
            "Happy leads in a and c and sad in b. In doubt, since another may be as strong: fear leads in d. "
            "One scene shows too few faces to say.",
        ),
        ([(str(k), "sad", True) for k in range(6)], 6, "Sad leads in 6 scenes."),
    ],
)
def test_the_headline_says_which_expression_leads_where(leaders: list, n_scenes: int, sentence: str):
    assert formatting.headline(leaders, n_scenes) == sentence


def test_one_take_and_few_shots_are_said():
    about = {"n_tracks": 1, "n_shots": 1, "coverage": 0.5, "face_seconds": 4.0}
    assert formatting.limits({**about, "evidence": "one take"}).startswith("One take: a single track.")
    assert formatting.limits({**about, "evidence": "enough", "n_tracks": 2}).startswith("Fewer than three shots")
    assert formatting.limits({**about, "evidence": "enough", "n_shots": 3}) == ""


@pytest.mark.parametrize(
    ("over", "kind", "reach"), [(0.5, "video", "1.5 s"), (2.0, "video", "6 s"), (0.5, "stills", "")]
)
def test_the_page_says_within_how_many_seconds_faces_were_read_together(over: float, kind: str, reach: str):
    whole = analysed()
    run = {**whole.run, "settings": {"expression": {"steadied_over": over}, "emotions": {}}}
    text = Page(render(replace(whole, run=run, film=replace(whole.film, kind=kind)))).text
    assert (f"read together with the same face up to {reach} before and after" in text) == bool(reach)
    assert ("Nothing is smoothed in it" in text) != bool(reach)

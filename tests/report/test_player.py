"""The player of the report shows the frame that it names, with what was detected in it, and asks for nothing."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from scenefer.analysis.result import Analysis
from scenefer.analysis.scene_emotions import summarise
from scenefer.analysis.scene_views import EmotionSettings
from scenefer.comparison import scene_comparison
from scenefer.core.language import ENGLISH, Language
from scenefer.core.tables import conform
from scenefer.report import render
from scenefer.report.html import json_of
from scenefer.report.player_data import player_data
from scenefer.report.track_timelines import courses
from scenefer.video import frames, probe
from tests.builders import (
    expressions_table,
    faces_table,
    frames_table,
    samples_table,
    scenes_table,
    shots_table,
    tracks_table,
)
from tests.clips import numbered, plain, read_number, write_clip
from tests.edits import excluding
from tests.reports import analysed, intending, jpeg

N = 100  # frames of a clip
VARYING = np.cumsum(np.random.default_rng(1).choice([1, 2, 3, 8], N)).tolist()
CLIPS: dict[str, dict[str, Any]] = {
    "constant rate": {},
    "variable rate": {"times": VARYING, "rate": 60},
    "late start": {"times": [k + 12 for k in range(N)], "sound": 5.0},
    "phone": {"rotation": 90, "b_frames": 2},
    "webm": {"codec": "libvpx-vp9", "options": {"deadline": "realtime"}, "suffix": ".webm"},
}

Shown = Callable[..., Any]


def clip_of(folder: Path, kind: str) -> Path:
    changes = dict(CLIPS[kind])
    path = folder / f"clip{changes.pop('suffix', '.mp4')}"
    return write_clip(path, [numbered(k, 256, 144) for k in range(N)], **changes)


def run_of(clip: Path, **changes: Any) -> Analysis:
    """A run of a clip of four seconds: three scenes, happy, angry and sad, with a face that moves to the right."""
    film = probe(clip)
    shown = [frame.time for frame in frames(film, sample_rate=None)]
    start, end = [0.0, 1.2, 2.4], [1.2, 2.4, shown[-1] + 0.04]
    at = np.arange(0, 4, 0.2).round(3)
    scene = np.digitize(at, start) - 1
    step = film.width / 40
    whole = {
        "film": film,
        "frames": frames_table(time=shown),
        "shots": shots_table(start=start, end=end),
        "scenes": scenes_table(
            start=start, end=end, name=["calm", "storm", "ebb"], first_shot=[0, 1, 2], last_shot=[0, 1, 2]
        ),
        "samples": samples_table(time=at, shot=scene, scene=scene, weight=0.2),
        "tracks": tracks_table(shot=[0, 1, 2], start=start, end=[1.0, 2.2, 3.8], actor=[0, 1, 0], n_faces=6),
        "faces": faces_table(
            time=at, x0=at * step, y0=0.25 * film.height, x1=(at + 8) * step, y1=0.75 * film.height,
            crop=[jpeg(90, 120, 200, size=(140, 140))] * len(at),
        ),
        "expressions": expressions_table(
            time=at, track=scene, shot=scene, scene=scene, weight=0.2,
            **{name: np.where(scene == k, 0.8, 0.1) for k, name in enumerate(("happy", "angry", "sad"))},
        ),
        "pictures": conform({"time": [0.0, 1.6, 2.8], "jpeg": [jpeg(60, 80, 120)] * 3}, "pictures"),
        "sheet": intending(calm="happy", storm="sad", ebb="sad").assign(start=start, end=end),
    }  # fmt: skip
    rules = {"least_face_seconds": 0.5, "least_coverage": 0.1}
    whole |= {"run": {**analysed().run, "settings": {"emotions": rules}}} | changes
    tables = (whole[name] for name in ("expressions", "samples", "scenes", "tracks"))
    settings = EmotionSettings(resamples=50, **rules)
    return replace(analysed(), **whole, scene_emotions=summarise(*tables, settings))


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Callable[..., tuple[Any, list[str]]]]:
    """Open the report of a run, and give it a film; the page, and what it complained about or asked for."""
    context = browser.new_context(reduced_motion="reduce")
    trouble: list[str] = []

    def open_(
        run: Analysis, film: Path | None, language: Language = ENGLISH, width: int = 1440, scheme: Any = "light"
    ) -> tuple[Any, list[str]]:
        path = tmp_path / "report.html"
        path.write_text(render(run, scene_comparison.of_run(run), language), encoding="utf-8")
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": 1000})
        page.emulate_media(color_scheme=scheme)
        page.on("console", lambda message: trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on(
            "request",
            lambda request: trouble.append(request.url) if request.url[:5] not in ("data:", "blob:") else None,
        )
        page.goto(path.as_uri())
        trouble.remove(path.as_uri())
        if film is not None:
            page.set_input_files("#player input[type=file]", film)
            wait(page, "document.querySelector('.player-notice').textContent !== ''")
            page.eval_on_selector("#player", "(player) => player.scrollIntoView()")
        return page, trouble

    yield open_
    context.close()


def wait(page: Any, expression: str) -> None:
    """Wait until something holds; Playwright's own waiting evaluates text in the page, which the policy forbids."""
    deadline = time.monotonic() + 30
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(20)


def number_shown(page: Any) -> int:
    """Read the number that is burnt into the picture on the screen."""
    return read_number(np.asarray(Image.open(io.BytesIO(page.locator(".screen").screenshot())).convert("RGB")))


def named(page: Any) -> int:
    """The number of the frame that the player names."""
    return int(page.inner_text(".clock span").split()[-1])


def shown_and_named(page: Any) -> tuple[int, int]:
    """The two numbers; a busy machine draws the last picture late, so they have three seconds to agree."""
    deadline = time.monotonic() + 3
    while (numbers := (number_shown(page), named(page)))[0] != numbers[1] and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    return numbers


def go_to(page: Any, seconds: float) -> None:
    page.evaluate(
        "(time) => { const range = document.querySelector('.seek input'); range.value = time;"
        " range.dispatchEvent(new Event('input')); }",
        seconds,
    )
    settle(page)


def settle(page: Any) -> None:
    """Wait until the film stands still on a frame."""
    wait(page, "(() => { const v = document.querySelector('video'); return v.paused && !v.seeking; })()")
    page.wait_for_timeout(120)


@pytest.mark.parametrize("kind", CLIPS)
def test_the_frame_that_is_sought_stepped_to_or_played_is_the_one_that_is_named(
    opened: Shown, tmp_path: Path, kind: str
):
    clip = clip_of(tmp_path, kind)
    run = run_of(clip)
    page, trouble = opened(run, clip)
    page.keyboard.press("b")  # nothing over the picture
    times = run.frames["time"].tolist()
    for k in (0, 1, 37, 62, 98):
        go_to(page, times[k])
        assert shown_and_named(page) == (k, k)
    go_to(page, times[40])
    for expected in (41, 42, 43):
        page.keyboard.press("ArrowRight")
        settle(page)
        assert shown_and_named(page) == (expected, expected)
    for expected in (42, 41):
        page.keyboard.press("ArrowLeft")
        settle(page)
        assert shown_and_named(page) == (expected, expected)
    page.keyboard.press("Space")
    page.wait_for_timeout(400)
    page.keyboard.press("Space")
    settle(page)
    shown, name = shown_and_named(page)
    assert shown == name > 41
    assert trouble == []


def test_of_a_film_whose_picture_begins_late_a_part_is_played_at_its_times(opened: Shown, tmp_path: Path):
    clip = clip_of(tmp_path, "late start")
    whole = run_of(clip)
    assert whole.film.begins == pytest.approx(0.48)
    times = whole.frames["time"].tolist()
    part = replace(
        whole, frames=frames_table(time=[time for time in times if time >= 2.0]), run={**whole.run, "span": [2.0, 4.0]}
    )
    page, trouble = opened(part, clip)
    page.keyboard.press("b")  # nothing over the picture
    for k in (38, 62, 98):
        go_to(page, times[k])
        assert shown_and_named(page) == (k, k)
        assert film_time(page) == pytest.approx(times[k], abs=0.002)
    assert trouble == []


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return clip_of(tmp_path, "constant rate")


def film_time(page: Any) -> float:
    """The time that the player names, in seconds."""
    minutes, seconds = page.inner_text(".clock b").replace(",", ".").split(":")
    return 60 * int(minutes) + float(seconds)


def is_playing(page: Any) -> bool:
    return not page.evaluate("document.querySelector('video').paused")


def test_a_time_a_picture_and_a_place_on_a_curve_play_from_there(opened: Shown, clip: Path):
    page, trouble = opened(run_of(clip), clip)
    for place, expected in (
        ("#scene-1 .names time", 1.2),
        ("#scene-1 .stills img", 1.6),
        ("#scene-2 .faces .crop", 2.4),
        ("#scene-1 .inside svg", 1.8),
        (".people svg", 2.0),
        (".tracks img", 0.0),
        (".gaps .when time", 1.2),
    ):
        page.eval_on_selector(place, "(place) => place.scrollIntoView({block: 'start'})")
        page.locator(place).first.click()
        wait(page, "!document.querySelector('video').paused")
        page.keyboard.press("k")
        settle(page)
        assert expected - 0.05 <= film_time(page) <= expected + 1.0, place
    assert trouble == []


def test_a_click_on_the_arc_plays_from_there_and_not_before_a_film_is_given(opened: Shown, clip: Path):
    run = run_of(clip)
    for film in (None, clip):
        page, trouble = opened(run, film)
        page.eval_on_selector("#arc", "(plot) => plot.scrollIntoView({block: 'center'})")
        page.wait_for_selector("#arc[data-drawn=yes]")
        area = page.query_selector("#arc .nsewdrag").bounding_box()
        page.mouse.move(area["x"] + 0.75 * area["width"], area["y"] + area["height"] / 2)
        page.wait_for_selector("#arc .hoverlayer .legend")
        page.mouse.down()
        page.mouse.up()
        if film is None:
            wait(page, "location.hash === '#scene-2'")
            continue
        wait(page, "!document.querySelector('video').paused")
        page.keyboard.press("k")
        settle(page)
        assert 2.9 < film_time(page) < 3.9
        assert trouble == []


def test_the_playhead_is_where_the_film_is(opened: Shown, clip: Path):
    page, _ = opened(run_of(clip), clip)
    page.eval_on_selector("#arc", "(plot) => plot.scrollIntoView({block: 'center'})")
    page.wait_for_selector("#arc[data-drawn=yes]")
    go_to(page, 1.84)

    def part(head: str, area: str) -> float:
        box, line = (page.locator(one).first.bounding_box() for one in (area, head))
        return (line["x"] + line["width"] / 2 - box["x"]) / box["width"]

    middle = 1.84  # the frame that is shown begins here
    assert part(".figure:has(#arc) .head", "#arc .nsewdrag") == pytest.approx(middle / 4, abs=0.005)
    assert part("#scene-1 .inside .head", "#scene-1 .inside svg") == pytest.approx((middle - 1.2) / 1.2, abs=0.01)
    assert part(".people .head", ".people svg") == pytest.approx(middle / 4, abs=0.01)
    assert page.evaluate(
        "[...document.querySelectorAll('.strip .now-playing')].map((one) => one.textContent.trim())"
    ) == ["✗storm"]
    outlines = "(all) => all.map((one) => getComputedStyle(one).outlineStyle)"
    assert page.eval_on_selector_all(".tiles li", outlines) == ["none", "solid", "none"], "around picture and time"


def test_excluded_moments_are_hatched_over_the_place_in_the_film(opened: Shown, clip: Path):
    run = run_of(clip)
    page, trouble = opened(excluding(run, (0.5, 1.0), (3.0, 3.5)), clip)
    bar = page.locator(".seek-scenes").bounding_box()
    pieces = [piece.bounding_box() for piece in page.locator(".seek-scenes .excluded").all()]
    for piece, (start, end) in zip(pieces, ((0.5, 1.0), (3.0, 3.5)), strict=True):
        assert piece["x"] - bar["x"] == pytest.approx(start / run.film.duration * bar["width"], abs=1)
        assert piece["width"] == pytest.approx((end - start) / run.film.duration * bar["width"], abs=1)
        assert piece["height"] == pytest.approx(bar["height"], abs=1)
    fill = "getComputedStyle(document.querySelector('.seek-scenes .excluded')).backgroundImage"
    assert "repeating-linear-gradient" in page.evaluate(fill)
    assert trouble == []


def test_of_a_film_with_a_timecode_the_clock_shows_it(opened: Shown, clip: Path):
    whole = run_of(clip)
    page, _ = opened(whole, clip)
    go_to(page, 1.6)
    assert page.inner_text(".clock span") == "frame 40"
    page, trouble = opened(replace(whole, film=replace(whole.film, timecode="00:59:59:00")), clip)
    go_to(page, 1.6)
    assert page.inner_text(".clock span") == "01:00:00:15 · frame 40"
    assert trouble == []


@pytest.mark.parametrize(("width", "height"), [(1440, 1000), (1200, 800), (1200, 700), (760, 1000)])
def test_the_distribution_stands_inside_the_picture(opened: Shown, clip: Path, width: int, height: int):
    page, trouble = opened(run_of(clip), clip)
    page.set_viewport_size({"width": width, "height": height})
    page.eval_on_selector(
        ".screen", "(one) => one.scrollIntoView({ block: 'center' })"
    )  # else it is small in the corner
    page.wait_for_selector(".now", state="visible")
    for full in (False, True):
        if full:
            page.click("[data-does=full]")
            wait(page, "document.fullscreenElement !== null")
        picture, panel = (page.locator(one).bounding_box() for one in (".screen", ".now"))
        assert picture["width"] > 200, "nothing takes the room away from the picture"
        assert picture["width"] / picture["height"] == pytest.approx(256 / 144, rel=0.01)
        assert picture["x"] <= panel["x"]
        assert panel["x"] + panel["width"] <= picture["x"] + picture["width"]
        assert panel["y"] + panel["height"] <= picture["y"] + picture["height"]
        assert picture["y"] + picture["height"] <= page.locator(".seek").bounding_box()["y"]
    assert trouble == []


def test_what_lies_over_a_frame_is_what_the_overlay_draws_there(opened: Shown, clip: Path):
    run = run_of(clip)
    page, _ = opened(run, clip)
    for at in (0.48, 1.2, 3.04):
        go_to(page, at)
        (course,) = (course for course in courses(run) if course.start <= at < course.end)
        now = course.at(at)
        screen, box = (page.locator(one).bounding_box() for one in (".screen", ".box:not([hidden])"))
        left = (box["x"] - screen["x"]) / screen["width"]
        assert left == pytest.approx(now.box[0] / run.film.width, abs=0.004)
        assert box["height"] / screen["height"] == pytest.approx(0.5, abs=0.01)
        share = round(100 * float(now.shares.max()))  # pyright: ignore[reportOptionalMemberAccess]
        assert page.inner_text(".box:not([hidden]) .reading").endswith(f" {share}\N{NO-BREAK SPACE}%")
    assert page.inner_text(".box:not([hidden]) .who") == "person 1"
    assert page.inner_text(".playing > a") == "ebb"
    assert "as intended" in page.inner_text(".playing")
    for layer, gone in (("boxes", ""), ("labels", ".reading"), ("people", ".who"), ("now", ".now")):
        page.uncheck(f"[data-shows={layer}]")
        if gone:
            assert not page.locator(gone).first.is_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.box')).borderTopColor") == "rgba(0, 0, 0, 0)"


def test_the_end_of_a_scene_shows_the_percentages_of_the_scene(opened: Shown, clip: Path):
    run = run_of(clip)
    page, _ = opened(run, clip)
    go_to(page, 3.96)
    rows = run.scene_emotions.loc[(run.scene_emotions["scene"] == 2) & (run.scene_emotions["view"] == "screen_time")]
    marks = page.evaluate("[...document.querySelectorAll('.now-bar i')].map((mark) => parseFloat(mark.style.left))")
    assert marks == pytest.approx(rows["percent"].tolist(), abs=0.3)


def test_keys_play_backwards_faster_by_seconds_and_by_scenes_and_loop(opened: Shown, clip: Path):
    page, trouble = opened(run_of(clip), clip)
    go_to(page, 3.0)
    page.keyboard.press("j")
    wait(page, "Number(document.querySelector('.clock span').textContent.split(' ')[1]) < 60")
    page.keyboard.press("k")
    settle(page)
    page.keyboard.press("b")  # nothing over the picture
    shown, name = shown_and_named(page)
    assert shown == name < 60
    page.keyboard.press("b")
    page.keyboard.press("l")
    page.keyboard.press("l")
    assert page.evaluate("document.querySelector('video').playbackRate") == 2
    page.keyboard.press("k")
    go_to(page, 1.6)
    for key, expected in (("p", 0.0), ("n", 1.2), ("n", 2.4), ("Shift+ArrowRight", 3.4), ("p", 2.4), ("p", 1.2)):
        page.keyboard.press(key)
        settle(page)
        assert film_time(page) == pytest.approx(expected, abs=1e-3), (key, expected)
    page.keyboard.press("r")
    page.keyboard.press("Space")
    seen = []
    for _ in range(40):
        page.wait_for_timeout(50)
        seen.append(film_time(page))
    page.keyboard.press("Space")
    assert min(seen) >= 1.2 - 1e-3
    assert max(seen) < 3.0  # the scene ends at 2.4; a busy machine that drops frames sees it late
    assert any(later < earlier for earlier, later in pairwise(seen))
    assert trouble == []


def test_a_time_on_a_closed_card_plays_and_is_no_button_within_the_button_that_opens_it(
    opened: Shown, clip: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("scenefer.report._OPEN", 0)  # all cards are closed
    page, trouble = opened(run_of(clip), clip)
    assert page.query_selector("summary [role=button], summary [tabindex]") is None
    page.click("#scene-2 summary time")
    wait(page, "!document.querySelector('video').paused")
    assert not page.evaluate("document.querySelector('#scene-2 details').open")
    page.keyboard.press("k")
    settle(page)
    assert 2.3 < film_time(page) < 3.4
    page.click("#scene-2 summary h3")
    assert page.evaluate("document.querySelector('#scene-2 details').open")
    assert trouble == []


def test_space_works_what_has_the_focus_and_plays_elsewhere(opened: Shown, clip: Path):
    page, _ = opened(run_of(clip), clip)
    page.focus(".stage .loop")
    page.keyboard.press("Space")
    assert page.get_attribute(".stage .loop", "aria-pressed") == "true"
    assert not is_playing(page)
    page.focus("#scene-2 .names time")
    page.keyboard.press("Enter")
    wait(page, "!document.querySelector('video').paused")
    page.keyboard.press("Space")
    assert not is_playing(page)
    page.eval_on_selector("#player", "(player) => player.scrollIntoView()")
    page.click(".keys summary")
    page.uncheck(".keys-on")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("k")
    page.keyboard.press("l")
    assert not is_playing(page)


def test_a_film_is_dropped_anywhere_on_the_page(opened: Shown, clip: Path):
    page, trouble = opened(run_of(clip), None)
    content = list(clip.read_bytes())
    page.evaluate(
        "(content) => { const data = new DataTransfer();"
        " data.items.add(new File([new Uint8Array(content)], 'clip.mp4', {type: 'video/mp4'}));"
        " for (const kind of ['dragover', 'drop']) document.querySelector('#evidence')"
        ".dispatchEvent(new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true})); }",
        content,
    )
    wait(page, "document.querySelector('.player-notice').textContent !== ''")
    assert page.inner_text(".player-notice") == "This is the film that was analysed."
    assert trouble == []


def test_another_film_is_told_from_a_copy_and_what_does_not_play_from_both(opened: Shown, clip: Path, tmp_path: Path):
    run = run_of(clip)
    copy = write_clip(tmp_path / "copy.mp4", [numbered(k, 128, 72) for k in range(N)])
    short = write_clip(tmp_path / "short.mp4", [numbered(k, 256, 144) for k in range(50)])
    square = write_clip(tmp_path / "square.mp4", [plain((9, 9, 9), 144, 144)] * N)
    mpeg4 = write_clip(tmp_path / "it's old.mp4", [numbered(k, 256, 144) for k in range(N)], codec="mpeg4", options={})
    said = {}
    for film in (copy, short, square, mpeg4):
        page, _ = opened(run, film)
        said[film.stem] = page.inner_text(".player-notice")
    assert said["copy"].startswith("This is not the analysed file itself")
    assert said["short"].startswith("This is another film than the analysed one: it is 0:02.0 long, 256 × 144")
    assert "it is 0:04.0 long, 144 × 144; the analysed film is 0:04.0 long, 256 × 144" in said["square"]
    assert said["it's old"].splitlines()[-1] == "scenefer proxy 'it'\\''s old.mp4'"
    assert not page.locator(".stage").is_visible()


def test_what_the_page_carries_for_a_minute_of_a_face_is_small(clip: Path):
    run = run_of(clip)
    at = np.arange(0, 600, 0.2).round(3)
    wave = np.sin(at)
    long = replace(
        run,
        faces=faces_table(time=at, x0=60 + 20 * wave, x1=140 + 20 * wave, y0=30, y1=100),
        expressions=expressions_table(
            time=at, track=0, shot=0, weight=0.2, happy=0.5 + 0.4 * wave, sad=0.5 - 0.4 * wave
        ),
        shots=shots_table(start=[0.0], end=[600.0]),
        tracks=tracks_table(start=[0.0], end=[600.0]),
        scenes=scenes_table(start=[0.0], end=[600.0]),
        frames=frames_table(time=np.arange(0, 600, 0.04).tolist()),
    )
    assert len(json_of(player_data(long))) / 10 < 8000


@pytest.mark.parametrize(
    ("width", "scheme", "code"), [(1440, "light", "id"), (1440, "dark", "en"), (390, "light", "en")]
)
def test_axe_finds_no_serious_problem_with_the_film(opened: Shown, clip: Path, width: int, scheme: str, code: str):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page, trouble = opened(run_of(clip), clip, Language(code), width, scheme)
    page.eval_on_selector_all("details", "(all) => all.forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    grave = [
        (problem["id"], [node["html"][:120] for node in problem["nodes"]][:3])
        for problem in axe.Axe().run(page).response["violations"]
        if problem["impact"] in ("serious", "critical")
    ]
    assert grave == []
    assert trouble == []

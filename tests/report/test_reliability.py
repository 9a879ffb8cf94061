from __future__ import annotations

import json

from benchmarks import truth
from scenefer.core.language import Language
from scenefer.models import known_weights
from scenefer.report import reliability, render
from tests.reports import Page, compared


def test_the_reports_say_the_figures_that_the_annotated_clips_gave():
    measured = json.loads(truth.RESULTS.read_text("utf-8"))
    assert reliability.measured() == truth.on_film(measured)


def test_the_weights_that_ship_are_those_that_were_measured():
    assert reliability.measured()["sha256"] == known_weights.EXPRESSION["rmn_face"].sha256


def test_the_first_screen_says_how_reliable_the_reader_is_beside_the_verdicts():
    whole, found = compared(rage="angry", joy="sad", empty="fear")
    known = reliability.measured()
    whole.run["weights"] = {"expression": {"sha256": known["sha256"]}}
    said = reliability.sentence(whole.run)
    right = known["film_time"]["right"]
    assert f"{100 * right['value']:.0f}\N{NO-BREAK SPACE}% ({100 * right['low']:.0f}–{100 * right['high']:.0f})" in said
    text = Page(render(whole, found)).text
    assert text.index("Of 2 judged scenes") < text.index(said) < text.index("Where to look")
    assert reliability.sentence(whole.run, Language("id")).startswith("Keandalan: pada ")


def test_weights_that_were_never_measured_on_film_say_so():
    run = {"weights": {"expression": {"sha256": "0" * 64}}}
    assert reliability.sentence(run) == "How reliable: these weights have not been measured on film."
    assert reliability.sentence({}) == reliability.sentence(run)


def test_the_figures_of_the_field_stand_under_for_researchers():
    whole, found = compared(rage="angry", joy="sad", empty=None)
    html = render(whole, found)
    research = html[html.index("For researchers") :]
    assert "no kappa, no skill, no p" in research[: research.index("</details>")]
    assert html.count("kappa") == research.count("kappa") == 1

"""Measure the size of a long film's report, and how soon a browser shows it.

python -m benchmarks.report [--run reports/FILM]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np

from benchmarks.intervals import film_of
from scenefer.analysis.result import Analysis
from scenefer.comparison import scene_comparison
from scenefer.core.tables import conform
from scenefer.report import render
from tests.builders import faces_table

RESULTS = Path(__file__).parent / "results" / "report.json"
LARGEST, LARGEST_FILM = 15.0, 3.0  # MB, of a film of two hours and of the test film
LATEST = 2.0  # s, limit from requesting the page until it is loaded and its first screen is shown


def long_film(n_scenes: int = 120) -> Analysis:
    """Make a synthetic film of over two hours; its pictures and faces are noise, which is hardest to compress."""
    noise = np.random.default_rng(0).normal(128, 30, (180, 320, 3)).clip(0, 255).astype(np.uint8)
    picture, face = (cv2.imencode(".jpg", part)[1].tobytes() for part in (noise, noise[:160, :160]))
    run = film_of(n_scenes)
    times = np.arange(0, run.film.duration or 0, 2.0)
    return replace(
        run,
        faces=faces_table(time=run.expressions["time"], crop=[face] * len(run.expressions)),
        pictures=conform({"time": times, "jpeg": [picture] * len(times)}, "pictures"),
        run={"coverage": {"face": 1.0}},
    )


def opening(html: str, runs: int = 5) -> dict[str, list[float]] | None:
    """Measure the time from requesting a page until it is shown, in headless Chromium; None without Chromium.

    Returns:
        Seconds of each run: wall time; processor time, which depends less on other load; and wall time from requesting
        the figure further down until it is drawn.
    """
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        return None
    from playwright.sync_api import sync_playwright

    taken: dict[str, list[float]] = {"clock": [], "processor": [], "figure": []}
    with TemporaryDirectory() as folder, sync_playwright() as driver:
        path = Path(folder) / "report.html"
        path.write_text(html, encoding="utf-8")
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(runs):
            page = browser.new_page()
            inside = page.context.new_cdp_session(page)
            inside.send("Performance.enable", {"timeDomain": "threadTicks"})
            began = time.perf_counter()
            page.goto(path.as_uri())
            # Playwright's own waiting evaluates strings in the page, which the report's content security policy
            # forbids.
            while not page.evaluate("performance.getEntriesByName('first-contentful-paint').length"):
                page.wait_for_timeout(5)
            taken["clock"].append(round(time.perf_counter() - began, 3))
            spent = {metric["name"]: metric["value"] for metric in inside.send("Performance.getMetrics")["metrics"]}
            taken["processor"].append(round(spent["ProcessTime"], 3))
            began = time.perf_counter()
            page.eval_on_selector("#arc", "(plot) => plot.scrollIntoView({ behavior: 'instant' })")
            page.wait_for_selector("#arc[data-drawn=yes]")
            taken["figure"].append(round(time.perf_counter() - began, 3))
            page.close()
        browser.close()
    return taken


def main() -> int:
    """Measure, print, write the results; return 1 if a report is too large or too slow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, help="an analysed film, whose report is measured too")
    options = parser.parse_args()
    run = long_film()
    pages = {"two hours, 120 scenes": (render(run, scene_comparison.of_run(run)), LARGEST)}
    if options.run is not None:
        pages[options.run.name] = ((options.run / "report.html").read_text(encoding="utf-8"), LARGEST_FILM)
    measured: dict[str, Any] = {
        name: {"MB": round(len(html.encode()) / 1e6, 2), "at_most_MB": most, "opens_s": opening(html)}
        for name, (html, most) in pages.items()
    }
    print(json.dumps(measured, indent=1))
    measured["load"] = round(os.getloadavg()[0], 1)  # load average: processes that competed for cores
    RESULTS.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    return 0 if all(is_good(measured[name]) for name in pages) else 1


def is_good(page: dict[str, Any]) -> bool:
    """Tell whether a report is small enough and its median opening time short enough."""
    opens = page["opens_s"]
    return page["MB"] <= page["at_most_MB"] and (opens is None or float(np.median(opens["clock"])) < LATEST)


if __name__ == "__main__":
    sys.exit(main())

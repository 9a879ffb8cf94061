"""Coverage in words: what became of every sampled moment of the film, and which scenes could not be judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from scenefer.core.language import ENGLISH, Language, marked
from scenefer.report import formatting

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.analysis.result import Analysis

_LONGEST = 160  # characters of a value
_STATES = (
    ("face", marked("a usable face")),
    ("no face", marked("no face found")),
    ("rejected", marked("seen, but not counted")),
    ("not decoded", marked("not decoded")),
    ("excluded", marked("excluded by hand")),
)


def accounted(analysis: Analysis, language: Language = ENGLISH) -> list[dict[str, Any]]:
    """Divide the sampled time of the film by state: state, words, percent, and the reasons for rejection."""
    samples = analysis.samples
    total = float(samples["weight"].sum())
    seconds = samples.groupby("state")["weight"].sum()
    return [
        {
            "state": state.replace(" ", "-"),
            "words": language.say(label),
            "share": round(100 * seconds[state] / total, 2),
            "percent": formatting.percent(100 * seconds[state] / total, language),
            "reasons": _reasons(samples.loc[samples["state"] == state], total, language),
        }
        for state, label in _STATES
        if seconds.get(state, 0.0) > 0
    ]


def unjudged(cards: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the cards of scenes without percentages."""
    return [card for card in cards if card["evidence"] == "insufficient"]


def settings(run: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Lay out what a run was made with: weights, settings, versions and timings, each as tables of names and values."""
    groups = []
    for title in (marked("weights"), marked("settings"), marked("versions"), marked("timings")):
        entries = run.get(title, {})
        nested = {name: values for name, values in entries.items() if isinstance(values, dict)}
        flat = {name: value for name, value in entries.items() if name not in nested}
        if title == "settings" and "plan" in run:
            flat["plan"] = run["plan"]
        tables = [{"title": "", "rows": _rows(flat)}] if flat else []
        tables += [{"title": formatting.printable(name), "rows": _rows(values)} for name, values in nested.items()]
        if tables:
            groups.append({"title": title, "tables": tables})
    return groups


def _reasons(rejected: pd.DataFrame, total: float, language: Language) -> list[str]:
    seconds = rejected.dropna(subset=["why"]).groupby("why")["weight"].sum().sort_values(ascending=False)
    return [
        f"{language.say(formatting.WHY_NOT.get(why, why))} {formatting.percent(100 * share / total, language)}"
        for why, share in zip(map(str, seconds.index), seconds, strict=True)
    ]


def _rows(values: dict[str, Any]) -> list[tuple[str, str]]:
    return [(formatting.printable(name), _legible(value)) for name, value in values.items() if value not in ("", None)]


def _legible(value: Any) -> str:
    """Format a value; cut long ones, like the probe of a weight file. ``run.json`` has the full value."""
    text = formatting.printable(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"

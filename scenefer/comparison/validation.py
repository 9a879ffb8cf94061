"""Validation of one film's labels: evaluates people's judgements of a random sample of its faces."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scenefer.analysis.bootstrap import interval, resample
from scenefer.analysis.expressions import counted
from scenefer.analysis.scene_emotions import shares
from scenefer.analysis.scene_views import SCREEN_TIME, EmotionSettings, gather, widening_of
from scenefer.comparison import coders
from scenefer.comparison.coding_sample import check_sample
from scenefer.comparison.corrected_shares import LEAST_CLUSTERS, LEAST_CODED, Faces, correct
from scenefer.comparison.resampled_shares import bootstrap_of
from scenefer.core.errors import SceneferError
from scenefer.core.language import ENGLISH, Language
from scenefer.core.scene import names_of
from scenefer.core.schema import EMOTIONS
from scenefer.core.tables import conform

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.analysis.result import Analysis


@dataclass(frozen=True)
class Validation:
    """The results of people's judgements for a run."""

    table: pd.DataFrame  # table VALIDATED
    record: dict[str, Any]  # the measures, as stored in run.json


def evaluate(analysis: Analysis, sample: pd.DataFrame, codes: Mapping[str, Mapping[int, int]]) -> Validation:
    """Evaluate people's judgements of the faces of a sample.

    Args:
        sample: table VALIDATION_SAMPLE of this run.
        codes: for each person, by face: the index of the emotion, or ``coders.CANNOT_TELL``.

    Raises:
        SceneferError: the sample does not match the run's faces, or nobody named an emotion for any face.
    """
    drawn, sample = sample, check_sample(sample, analysis.expressions)
    expressions = analysis.expressions.loc[counted(analysis.expressions)].sort_values("face").reset_index(drop=True)
    judged = np.full((len(codes), len(expressions)), coders.MISSING)
    row_of = {face: row for row, face in enumerate(expressions["face"].tolist())}
    for person, said in enumerate(codes.values()):
        known = {face: code for face, code in said.items() if face in row_of}
        judged[person, [row_of[face] for face in known]] = list(known.values())
    votes = coders.votes_of(judged)
    told = votes.sum(axis=1) > 0
    if not told.any():
        raise SceneferError("nobody could tell an emotion of any face: there is nothing to compare with")
    seed = bootstrap_of(analysis).seed
    weight = expressions["weight"].to_numpy() / sample["probability"].to_numpy()
    track = expressions["track"].to_numpy()
    read = expressions[list(EMOTIONS)].to_numpy(np.float64)
    against = coders.reader_agreement(read[told], votes[told], weight[told], track[told], seed)
    table = _table(analysis, expressions, sample, votes)
    people = tuple(codes)
    record = {
        "people": len(people),
        "faces": int(told.sum()),
        "faces_drawn": int(drawn["place"].notna().sum()),
        "cannot_tell": int((judged == coders.CANNOT_TELL).sum()),
        "alpha": _known(coders.people_alpha(judged, track, seed)) if len(people) > 1 else None,
        "kappas": [
            {"people": [people[a], people[b]], "kappa": _known((kappa,))[0], "faces": n}
            for (a, b), (kappa, n) in coders.pairwise_kappas(judged).items()
        ],
        "accuracy": _known(against.accuracy),
        "kappa": _known(against.kappa),
        "recall": dict(zip(EMOTIONS, _known(tuple(against.recall)), strict=True)),
        "confusion_percent": (100 * against.confusion).round(2).tolist(),
        "ece": round(against.ece, 4),
        "edits": analysis.run.get("edits", {}).get("shares"),
        "calibration": [{**one._asdict(), "right": _known(one.right)} for one in against.calibration],
    }
    return Validation(table, {**record, "sentence": sentence(record)})


def sentence(record: Mapping[str, Any], language: Language = ENGLISH) -> str:
    """Return one sentence: how many people judged how many faces, and how often the reader is right."""
    value, low, high = record["accuracy"]
    percent = [None if part is None else language.number(100 * part) for part in (value, low, high)]
    about = {"faces": language.number(record["faces"]), "right": percent[0], "low": percent[1], "high": percent[2]}
    if percent[1] is None or percent[2] is None:
        return language.many(
            "judged by one person on {faces} faces: the reader is right in {right} %",
            "judged by {n} people on {faces} faces: the reader is right in {right} %",
            record["people"], **about,
        )  # fmt: skip
    return language.many(
        "judged by one person on {faces} faces: the reader is right in {right} % ({low} to {high})",
        "judged by {n} people on {faces} faces: the reader is right in {right} % ({low} to {high})",
        record["people"], **about,
    )  # fmt: skip


def summary(validation: Validation, analysis: Analysis) -> str:
    """Return a text with the measures, one per line."""
    record = validation.record
    lines = [f"{record['sentence'][0].upper()}{record['sentence'][1:]}."]
    drawn, unsure = record["faces_drawn"], record["cannot_tell"]
    lines.append(f"Faces drawn: {drawn}; judged with an emotion: {record['faces']}; 'cannot tell': {unsure} times.")
    if record["alpha"]:
        lines.append(f"Agreement of the people: Krippendorff's alpha {_with_ends(record['alpha'])}")
        lines += [
            f"  {pair['people'][0]} and {pair['people'][1]}: kappa {_number(pair['kappa'])} on {pair['faces']} faces"
            for pair in record["kappas"]
        ]
    lines.append(f"Agreement of the reader with them: kappa {_with_ends(record['kappa'])}")
    seen = [f"{emotion} {_percent(recall)}" for emotion, recall in record["recall"].items() if recall is not None]
    lines.append(f"Of what people see, the reader finds: {', '.join(seen)}")
    lines += [
        f"Where it is {one['low']:.0%} to {one['high']:.0%} sure ({one['share']:.0%} of the faces): it claims "
        f"{one['confidence']:.0%}, and is right in {_percent(one['right'][0])}"
        for one in record["calibration"]
    ]
    names = names_of(analysis.scenes)
    lines.append("Shares in %, raw and corrected by the judged faces (95 % interval):")
    about = validation.table["scene"].fillna(-1)
    said = {scene: _shares_in_words(validation.table.loc[about == scene]) for scene in (-1, *names)}
    lines += [f"  {names.get(scene, 'the film')}: {shares or 'too few judged faces'}" for scene, shares in said.items()
              if shares or scene < 0]  # fmt: skip
    if n_thin := sum(not said[scene] for scene in names):
        lines.append(
            f"  {n_thin} of {len(names)} scenes: too few judged faces; a scene needs {LEAST_CODED}, "
            f"in {LEAST_CLUSTERS} shots or tracks"
        )
    return "\n".join(lines)


def _shares_in_words(rows: pd.DataFrame) -> str:
    """Say the shares of a scene as read and corrected; empty where too few faces were judged."""
    by = {estimate: part.set_index("emotion") for estimate, part in rows.groupby("estimate")}
    if "validated" not in by:
        return ""
    said = []
    for emotion in EMOTIONS:
        percent, low, high = by["validated"].loc[emotion, ["percent", "percent_low", "percent_high"]]
        raw = by["raw"]["percent"].to_dict()[emotion]
        said.append(f"{emotion} {'–' if math.isnan(raw) else f'{raw:.0f}'} → {percent:.0f} ({low:.0f} to {high:.0f})")
    return ", ".join(said)


def _table(analysis: Analysis, expressions: pd.DataFrame, sample: pd.DataFrame, votes: np.ndarray) -> pd.DataFrame:
    """Compute the table VALIDATED: the film, then each scene."""

    told = votes.sum(axis=1) > 0
    judged = np.where(told[:, None], votes / np.maximum(votes.sum(axis=1, keepdims=True), 1), np.nan)
    scene = expressions["scene"].fillna(-1).to_numpy(np.int64)
    rows: list[dict[str, Any]] = []
    for one in (None, *analysis.scenes["scene"].tolist()):
        inside = np.ones(len(expressions), bool) if one is None else scene == one
        if not inside.any():
            continue
        raw = _raw(analysis, expressions) if one is None else _raw_of_scene(analysis, one)
        within, faces = _faces(expressions[inside], sample[inside], judged[inside])
        about = {"scene": one, "n_coded": int(told[inside].sum())}
        units = len(np.unique(faces.cluster[told[inside]]))
        rows += _rows({**about, "estimate": "raw", "n_units": units, "within": None}, *raw)
        for estimate in ("coded", "validated"):
            found = correct(faces, read_counts=estimate == "validated")
            if found is not None:
                ends = (found.percent, found.low, found.high)
                tuning = found.tuning if estimate == "validated" else None
                rows += _rows({**about, "estimate": estimate, "n_units": units, "within": within}, *ends, tuning)
    return conform({name: [row[name] for row in rows] for name in rows[0]}, "validated")


def _rows(about: dict[str, Any], percent: Any, low: Any, high: Any, tuning: Any = None) -> Iterator[dict[str, Any]]:
    for k, emotion in enumerate(EMOTIONS):
        ends = {"percent": percent[k], "percent_low": low[k], "percent_high": high[k]}
        yield {**about, "emotion": emotion, **ends, "tuning": None if tuning is None else tuning[k]}


def _faces(expressions: pd.DataFrame, sample: pd.DataFrame, judged: np.ndarray) -> tuple[str, Faces]:
    """Collect the input for ``correct``; clusters are shots, or tracks if the judged faces are in too few shots."""
    told = ~np.isnan(judged[:, 0])
    within = "shot" if expressions.loc[told, "shot"].nunique() >= LEAST_CLUSTERS else "track"
    return f"{within}s", Faces(
        expressions[list(EMOTIONS)].to_numpy(np.float64),
        judged,
        expressions["weight"].to_numpy(),
        sample["stratum"].to_numpy(),
        sample["probability"].to_numpy(),
        expressions[within].to_numpy(),
    )


def _raw(analysis: Analysis, expressions: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute the film's uncorrected shares in the same way as a scene's: by screen time, resampling shots."""
    settings: EmotionSettings = bootstrap_of(analysis)
    evidence = gather(expressions.assign(scene=0), settings)
    counts = resample(evidence, settings.resamples, np.random.default_rng(settings.seed))
    percent = shares(evidence, [np.ones((1, of_level.shape[1]), np.int64) for of_level in counts], SCREEN_TIME)[0]
    factor = widening_of(expressions["shot"].nunique(), evidence)
    low, high = interval(percent, shares(evidence, counts, SCREEN_TIME), factor=factor)
    return percent, np.clip(low, 0, 100), np.clip(high, 0, 100)


def _raw_of_scene(analysis: Analysis, scene: int) -> tuple[np.ndarray, ...]:
    found = analysis.scene_emotions
    rows = found.loc[(found["scene"] == scene) & (found["view"] == SCREEN_TIME)].set_index("emotion")
    return tuple(rows.loc[list(EMOTIONS), name].to_numpy() for name in ("percent", "low", "high"))


def _known(values: tuple[float, ...]) -> list[float | None]:
    return [None if math.isnan(value) else round(float(value), 4) for value in values]


def _number(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.2f}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _with_ends(figure: list[float | None]) -> str:
    value, low, high = figure
    return _number(value) if low is None or high is None else f"{value:.2f} ({low:.2f} to {high:.2f})"

"""All settings of a run: one frozen class per stage, read from TOML, and the ids of what depends on the settings.

Each class validates its values (core/settings.py), whether they come from Python or from TOML.

A plan file states deviations from the defaults; its sections are the fields of ``Plan``. Order: option, then
``--plan FILE``, then ``--profile``, then default.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from scenefer.analysis.observation import OBSERVATION_VERSION
from scenefer.analysis.settings import StageSettings
from scenefer.comparison.intentions import check_words, read_words
from scenefer.comparison.verdicts import ComparisonSettings
from scenefer.core import config
from scenefer.core.errors import PlanError
from scenefer.core.language import ReportSettings
from scenefer.core.run_folder import RECORD
from scenefer.core.schema import SCHEMA_VERSION
from scenefer.core.settings import Settings, bounded, one_of
from scenefer.core.text import did_you_mean
from scenefer.models import DEFAULT_WEIGHTS, DEVICES
from scenefer.pipeline.executors import EXECUTORS
from scenefer.pipeline.executors.base import PATIENCE

PROFILES: dict[str, dict[str, dict[str, Any]]] = {
    "fast": {"observation": {"sample_rate": 2.0, "smallest_face": 40}},
    "standard": {},
    "thorough": {"observation": {"sample_rate": 10.0, "smallest_face": 16, "mirrored": True}},
}


@dataclass(frozen=True)
class ModelSettings(Settings):
    """Which weights to use, and where the networks run."""

    expression: str = DEFAULT_WEIGHTS  # a name of models/known_weights.py, or the path of a weight file
    identity: str = "face_identity"  # groups tracks into people; or "facenet"; "" = do not identify people
    landmarks: str = one_of("five", ("five", "dense"))  # "dense" finds 68 points of each face, and measures mouths
    device: str = one_of("auto", DEVICES)


@dataclass(frozen=True)
class RunSettings(Settings):
    """How and where jobs run; none of this changes a result."""

    workers: int = 0  # processes, one thread each; 0 = one per core
    # Seconds of film, and so the most that is redone after a crash; longer chunks leave cores idle.
    longest_chunk: float = bounded(40.0, 5, 36_000)
    executor: str = one_of("processes", EXECUTORS)
    address: str = ""  # of a Ray cluster; "" starts one on this machine
    gpus: float = bounded(0.0, 0, 64)  # share of a GPU per worker on Ray
    patience: float = bounded(PATIENCE, 1, 86_400)  # seconds without progress after which a worker hangs, and is killed
    # MB for all workers together; a chunk that would exceed it waits; 0 = no limit.
    max_memory: float = bounded(0.0, 0, 1e9)
    least_free: float = bounded(200.0, 0, 1e9)  # MB; if the disk has less free space, no new job starts


@dataclass(frozen=True)
class Plan(StageSettings):
    """All settings of a run: those of the stages, and those of the run around them."""

    models: ModelSettings = field(default_factory=ModelSettings)
    comparison: ComparisonSettings = field(default_factory=ComparisonSettings)
    report: ReportSettings = field(default_factory=ReportSettings)
    # Directors' words for emotions, in addition to the shipped ones, see intentions.py.
    words: Mapping[str, str] = field(default_factory=dict, hash=False)
    run: RunSettings = field(default_factory=RunSettings)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "words", check_words(self.words, "words"))


def make_plan(
    profile: str = "standard",
    file: str | os.PathLike[str] | None = None,
    options: Mapping[str, Any] | None = None,
    words: str | os.PathLike[str] | None = None,
) -> Plan:
    """Make a plan from a profile, a plan file and single options.

    Args:
        file: a path, or the bare name of a plan that ships ("film").
        options: for example ``{"observation.sample_rate": 10.0}``; a value of None means "not given".
        words: a file of words that sheets use, see ``intentions.read_words``.

    Raises:
        PlanError: an unknown profile, file, key or value; the message names the nearest valid one.
    """
    if profile not in PROFILES:
        raise PlanError(f"unknown profile {profile!r}; {did_you_mean(profile, PROFILES)}")
    plan = _deviate(Plan(), PROFILES[profile], f"profile {profile}")
    if file is not None:
        place = find_plan(file)
        plan = _deviate(plan, config.read(place), str(place))
    for key, value in (options or {}).items():
        if value is not None:
            section, _, name = key.partition(".")
            plan = _deviate(plan, {section: {name: value}}, "options")
    if words is not None:
        plan = replace(plan, words={**plan.words, **read_words(Path(words))})
    return plan


_RETIRED = {
    ("comparison", "emq"),
    ("comparison", "emq_tracks"),
    ("expression", "least_faces"),
    ("mouths", "open"),
    ("mouths", "least_closed"),
    ("mouths", "closed_share"),
}  # settings of older versions, still in the records of their runs


def from_record(settings: Mapping[str, Any]) -> Plan:
    """Read the settings of a run from its ``run.json``.

    Raises:
        PlanError: they were written by another version.
    """
    known = {
        section: {name: value for name, value in values.items() if (section, name) not in _RETIRED}
        if isinstance(values, Mapping)
        else values
        for section, values in settings.items()
    }
    return _deviate(Plan(), known, RECORD)


def find_plan(file: str | os.PathLike[str]) -> Path:
    """Find a plan by path or, if it ships with scenefer, by its bare name.

    Raises:
        PlanError: there is no such plan.
    """
    return config.find(file, config.SHIPPED, "plan")


def identity(*parts: Any) -> str:
    """Hash settings and anything else a result depends on into 12 hexadecimal digits, the same on every machine."""
    plain = [asdict(part) if is_dataclass(part) and not isinstance(part, type) else part for part in parts]
    return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()[:12]


def plan_id(plan: Plan) -> str:
    """Identify a plan by the settings that decide a result: all but ``[run]``, which says where and how it is made."""
    settings = asdict(plan)
    del settings["run"]
    return identity(settings)


def observe_id(plan: Plan, detector: str, expression: str) -> str:
    """Identify what the pixel pass depends on: its settings and version, the detector's weights, the schema.

    Expression weights count only without crops: they classify stored crops again, but without crops the film has to be
    decoded.
    """
    pass_settings = asdict(plan.observation)
    pass_settings.pop("mirrored")  # affects only the logits, see expression_id
    kept = None if plan.observation.crops else expression
    return identity(pass_settings, detector, kept, SCHEMA_VERSION, OBSERVATION_VERSION)


def expression_id(plan: Plan, sha256: str) -> str:
    """Return an id of what the logits depend on besides the crops."""
    return identity(sha256, plan.observation.mirrored)


def _deviate(plan: Plan, stated: Mapping[str, Any], where: str) -> Plan:
    sections = {entry.name for entry in fields(Plan)}
    if not isinstance(stated, Mapping):
        raise PlanError(f"{where}: settings must be sections, not {type(stated).__name__}")
    for section, values in stated.items():
        if section not in sections:
            raise PlanError(f"{where}: unknown section [{section}]; {did_you_mean(section, sections)}")
        if not isinstance(values, Mapping):
            raise PlanError(f"{where}: {section} must be a section: [{section}]")
        if section == "words":
            plan = replace(plan, words={**plan.words, **check_words(values, f"{where}, [words]")})
            continue
        plan = replace(plan, **{section: config.changed(getattr(plan, section), values, f"{where}, [{section}]")})
    return plan

"""What a run does, as values: one frozen settings class a stage, read from TOML, and the ids of what depends on it.

A plan file states deviations from the defaults; its sections are the fields of ``Plan``. Order: option, then
``--plan FILE``, then ``--profile``, then default.
"""

from __future__ import annotations

import hashlib
import json
import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from scenefer.actors import ActorSettings
from scenefer.emotions import EQUAL_ACTOR, VIEWS, EmotionSettings
from scenefer.errors import PlanError
from scenefer.expression import ExpressionSettings
from scenefer.language import LANGUAGES, ReportSettings
from scenefer.models import DEVICES
from scenefer.models.records import DETECTORS
from scenefer.observation import ObservationSettings
from scenefer.scenes import SceneSettings
from scenefer.schema import SCHEMA_VERSION
from scenefer.shots import ShotSettings
from scenefer.tracks import TrackSettings
from scenefer.verdicts import ComparisonSettings

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

# In a wheel the plans lie inside the package, in a checkout beside it, where users look for them.
SHIPPED = next(
    (
        place
        for place in (Path(__file__).parent / "pipelines", Path(__file__).parents[1] / "pipelines")
        if place.is_dir()
    ),
    Path("pipelines"),
)

_VIEWS = (*VIEWS, EQUAL_ACTOR)

PROFILES: dict[str, dict[str, dict[str, Any]]] = {
    "fast": {"observation": {"sample_rate": 2.0, "smallest_face": 40}},
    "standard": {},
    "thorough": {"observation": {"sample_rate": 10.0, "smallest_face": 16, "mirrored": True}},
}


@dataclass(frozen=True)
class ModelSettings:
    """Which weights read the expressions, and where the networks run."""

    expression: str = "rmn_compact"  # a name of models/records.py, or the path of a weight file
    identity: str = "face_identity"  # groups tracks into people; or "facenet"; "" tells nobody apart
    device: str = "auto"  # auto, cpu or cuda


@dataclass(frozen=True)
class RunSettings:
    """Where a film is worked on; none of this changes a result."""

    workers: int = 0  # processes, one thread each; 0 = one a core
    longest_chunk: float = 40.0  # seconds of film that are redone, at most, after a crash; longer ones leave cores idle
    executor: str = "processes"  # processes, serial or ray
    address: str = ""  # of a Ray cluster; "" starts one on this machine
    gpus: float = 0.0  # share of a GPU that a worker on Ray is given
    patience: float = 300.0  # seconds without progress after which a worker hangs, and is killed
    max_memory: float = 0.0  # MB; no piece is begun that would take all workers together beyond it; 0 = no bound
    least_free: float = 200.0  # MB; with less on the disk nothing more is begun


@dataclass(frozen=True)
class Plan:
    """All settings of a run, by stage."""

    observation: ObservationSettings = field(default_factory=ObservationSettings)
    models: ModelSettings = field(default_factory=ModelSettings)
    shots: ShotSettings = field(default_factory=ShotSettings)
    tracks: TrackSettings = field(default_factory=TrackSettings)
    actors: ActorSettings = field(default_factory=ActorSettings)
    scenes: SceneSettings = field(default_factory=SceneSettings)
    expression: ExpressionSettings = field(default_factory=ExpressionSettings)
    emotions: EmotionSettings = field(default_factory=EmotionSettings)
    comparison: ComparisonSettings = field(default_factory=ComparisonSettings)
    report: ReportSettings = field(default_factory=ReportSettings)
    run: RunSettings = field(default_factory=RunSettings)


def make_plan(
    profile: str = "standard", file: str | Path | None = None, options: Mapping[str, Any] | None = None
) -> Plan:
    """Put a plan together from a profile, a plan file and single options.

    Args:
        file: a path, or the bare name of a plan that ships ("film").
        options: ``{"observation.sample_rate": 10.0}``; None as a value means "not given".

    Raises:
        PlanError: an unknown profile, file, key or value; the message names the nearest valid one.
    """
    if profile not in PROFILES:
        raise PlanError(f"unknown profile {profile!r}; {nearest(profile, PROFILES)}")
    plan = _deviate(Plan(), PROFILES[profile], f"profile {profile}")
    if file is not None:
        place = find_plan(file)
        try:
            stated = tomllib.loads(place.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise PlanError(f"{place} cannot be read as TOML: {error}") from error
        plan = _deviate(plan, stated, str(place))
    for key, value in (options or {}).items():
        if value is not None:
            section, name = key.split(".")
            plan = _deviate(plan, {section: {name: value}}, f"option {name.replace('_', '-')}")
    return _sensible(plan)


def from_record(settings: Mapping[str, Any]) -> Plan:
    """Read back the settings of a run, as its ``run.json`` has them.

    Raises:
        PlanError: they are of another version.
    """
    return _sensible(_deviate(Plan(), settings, "run.json"))


def find_plan(file: str | Path) -> Path:
    """Find a plan by path or, if it ships with scenefer, by its bare name.

    Raises:
        PlanError: there is none.
    """
    if Path(file).is_file():
        return Path(file)
    shipped = {entry.stem: entry for entry in SHIPPED.glob("*.toml")}
    if str(file) in shipped:
        return shipped[str(file)]
    raise PlanError(f"there is no plan {str(file)!r}; give a TOML file or one of: {', '.join(sorted(shipped))}")


def identity(*parts: Any) -> str:
    """Hash settings and whatever else a result depends on: 12 hexadecimal digits, the same on every machine."""
    plain = [asdict(part) if is_dataclass(part) and not isinstance(part, type) else part for part in parts]
    return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()[:12]


def observe_id(plan: Plan, detector: str, expression: str) -> str:
    """Identify what the pixel pass depends on: its settings, the detector's weights, the schema.

    Other expression weights read the stored crops again; without crops the film has to be decoded for them.
    """
    pass_settings = asdict(plan.observation)
    pass_settings.pop("mirrored")  # concerns the logits alone, see expression_id
    kept = None if plan.observation.crops else expression
    return identity(pass_settings, detector, kept, SCHEMA_VERSION)


def expression_id(plan: Plan, sha256: str) -> str:
    """Identify what the logits depend on besides the crops."""
    return identity(sha256, plan.observation.mirrored)


def _deviate(plan: Plan, stated: Mapping[str, Any], where: str) -> Plan:
    sections = {entry.name for entry in fields(Plan)}
    if not isinstance(stated, Mapping):
        raise PlanError(f"{where}: settings must be sections, not {type(stated).__name__}")
    for section, values in stated.items():
        if section not in sections:
            raise PlanError(f"{where}: unknown section [{section}]; {nearest(section, sections)}")
        if not isinstance(values, Mapping):
            raise PlanError(f"{where}: {section} must be a section: [{section}]")
        plan = replace(plan, **{section: changed(getattr(plan, section), values, f"{where}, [{section}]")})
    return plan


Settings = TypeVar("Settings", bound="DataclassInstance")


def changed(
    settings: Settings, stated: Mapping[str, Any], where: str, read: Mapping[str, Callable[[Any, str], Any]] = {}
) -> Settings:
    """Return settings with what a file states of them.

    Args:
        settings: a dataclass.
        where: the file, to name it in errors.
        read: how values are read that are neither number nor word, by key.

    Raises:
        PlanError: a key is unknown, or a value is of another type than its default.
    """
    known = {entry.name: getattr(settings, entry.name) for entry in fields(settings)}
    values: dict[str, Any] = {}
    for key, value in stated.items():
        if key not in known:
            raise PlanError(f"{where}: unknown key {key!r}; {nearest(key, known)}")
        place = f"{where}: {key}"
        values[key] = read[key](value, place) if key in read else _typed(value, known[key], place)
    return replace(settings, **values)


def _typed(value: Any, default: Any, where: str) -> Any:
    """Return a value of the type of its default; a whole number is a number too."""
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if default is not None and type(value) is not type(default):
        raise PlanError(f"{where} must be of type {type(default).__name__}, not {value!r}")
    return value


def _sensible(plan: Plan) -> Plan:
    """Refuse values that no stage could work with."""
    for section in fields(plan):
        settings = getattr(plan, section.name)
        for entry in fields(settings):
            value = getattr(settings, entry.name)
            if isinstance(value, int | float) and not 0 <= value < math.inf:  # NaN is neither
                raise PlanError(f"{section.name}.{entry.name} must be a number from 0 on, got {value}")
    seen = plan.observation
    for name, value, low, high in (
        ("detection_pixels", seen.detection_pixels, 10_000, 100_000_000),
        ("resamples", plan.emotions.resamples, 20, 1_000_000),
        ("block", plan.emotions.block, 0.01, 3600.0),
        ("shortest_mean", plan.scenes.shortest_mean, 1.0, 86_400.0),
        ("longest_mean", plan.scenes.longest_mean, 1.0, 86_400.0),
        ("shuffles", plan.comparison.shuffles, 20, 1_000_000),
        ("sample-rate", seen.sample_rate, 0.01, 240.0),
        ("smallest-face", seen.smallest_face, 12, 400),
        ("picture-every", seen.picture_every, 0.1, 3600.0),
        ("longest-chunk", plan.run.longest_chunk, 5.0, 36_000.0),
        ("patience", plan.run.patience, 1.0, 86_400.0),
        ("max-memory", plan.run.max_memory, 0.0, 1e9),
        ("least-free", plan.run.least_free, 0.0, 1e9),
        ("gpus", plan.run.gpus, 0.0, 64.0),
    ):
        if not low <= value <= high:
            raise PlanError(f"{name} must be between {low:g} and {high:g}, got {value:g}")
    for name, value, known in (
        ("detector", seen.detector, DETECTORS),
        ("reader", seen.reader, ("pyav", "decord")),
        ("pyramid", seen.pyramid, ("fast", "exact")),
        ("device", plan.models.device, DEVICES),
        ("executor", plan.run.executor, ("processes", "serial", "ray")),
        ("language", plan.report.language, LANGUAGES),
    ):
        if value not in known:
            raise PlanError(f"unknown {name} {value!r}; {nearest(value, known)}")
    if plan.comparison.view not in _VIEWS and not plan.comparison.view.startswith("character:"):
        raise PlanError(f"unknown view {plan.comparison.view!r}; {nearest(plan.comparison.view, _VIEWS)}")
    return plan


def nearest(word: str, known: Any) -> str:
    """Say which known name a word is near to, or which there are."""
    close = get_close_matches(str(word), list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(sorted(known))}"

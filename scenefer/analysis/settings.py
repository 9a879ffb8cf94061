"""The settings of the stages, one frozen class per stage."""

from __future__ import annotations

from dataclasses import dataclass, field

from scenefer.analysis.expressions import ExpressionSettings
from scenefer.analysis.mouths import MouthSettings
from scenefer.analysis.observation import ObservationSettings
from scenefer.analysis.people import ActorSettings
from scenefer.analysis.scene_views import EmotionSettings
from scenefer.analysis.scenes import SceneSettings
from scenefer.analysis.shots import ShotSettings
from scenefer.analysis.tracks import TrackSettings
from scenefer.core.settings import Settings


@dataclass(frozen=True)
class StageSettings(Settings):
    """All settings that turn a film into percentages."""

    observation: ObservationSettings = field(default_factory=ObservationSettings)
    shots: ShotSettings = field(default_factory=ShotSettings)
    tracks: TrackSettings = field(default_factory=TrackSettings)
    actors: ActorSettings = field(default_factory=ActorSettings)
    scenes: SceneSettings = field(default_factory=SceneSettings)
    mouths: MouthSettings = field(default_factory=MouthSettings)
    expression: ExpressionSettings = field(default_factory=ExpressionSettings)
    emotions: EmotionSettings = field(default_factory=EmotionSettings)

"""scenefer: which facial expressions a film shows, scene by scene, and how far that is from the intention.

from scenefer import Plan, analyze
analysis = analyze("film.mp4", Plan())
analysis.scene_emotions        # a DataFrame; `scenefer schema` prints the columns of every table
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenefer.analysis import Analysis, load
    from scenefer.plan import Plan, make_plan
    from scenefer.run import analyze, write

__version__ = "0.1.0"
__all__ = ["Analysis", "Plan", "analyze", "load", "make_plan", "write"]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, so that `import scenefer` is instant."""
    from importlib import import_module

    for module in ("analysis", "plan", "run"):
        if name in __all__ and hasattr(found := import_module(f"scenefer.{module}"), name):
            return getattr(found, name)
    raise AttributeError(f"module 'scenefer' has no attribute {name!r}")

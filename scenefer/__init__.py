"""scenefer: which facial expressions a film shows, scene by scene, and how far they are from what was intended.

import scenefer

analysis = scenefer.analyze("film.mp4", intended="sheet.csv", profile="fast")
analysis.scene_emotions        # a DataFrame; `scenefer schema` prints the columns of every table
analysis.comparison            # intended against detected
analysis.figure("arc")         # for a notebook
scenefer.report(analysis)      # reports/film/report.html

The public names are listed in ``__init__.pyi``. A module is imported when one of its names is first used, so that
``import scenefer`` is instant.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


class _Package(ModuleType):
    """This package; ``report`` names a subpackage and a function, so the subpackage is made callable when loaded."""

    def __setattr__(self, name: str, value: object) -> None:
        if name == "report" and isinstance(value, ModuleType):
            value.__class__ = _ReportWing
        super().__setattr__(name, value)


class _ReportWing(ModuleType):
    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Write a run with its report; see ``scenefer.pipeline.api.report``."""
        from scenefer.pipeline import api

        return api.report(*arguments, **options)


sys.modules[__name__].__class__ = _Package

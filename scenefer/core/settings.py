"""Self-validating settings: each field declares its bounds, which are checked for values from Python and from TOML.

    @dataclass(frozen=True)
    class ObservationSettings(Settings):
        sample_rate: float = bounded(5.0, 0.01, 240)
        detector: str = one_of("yunet", DETECTORS)
        crops: bool = True

A value must have the type of its default. A number without declared bounds must be finite and not negative.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import MISSING, Field, dataclass, field, fields
from numbers import Integral, Real
from typing import Any, TypeVar

from scenefer.core.errors import PlanError
from scenefer.core.registry import Registry
from scenefer.core.text import known_names

Number = TypeVar("Number", int, float)

_BOUNDS, _KNOWN, _PREFIX = "bounds", "known", "prefix"


def bounded(default: Number, low: float, high: float) -> Number:
    """Declare a field that is a number from ``low`` to ``high``, both included."""
    return field(default=default, metadata={_BOUNDS: (low, high)})


def one_of(default: str, known: Collection[str], prefix: str = "") -> str:
    """Declare a field that must be one of the known names, or any name that begins with ``prefix`` if that is given.

    ``known`` is not copied: names that a registry gains later are valid too.
    """
    return field(default=default, metadata={_KNOWN: known, _PREFIX: prefix})


@dataclass(frozen=True)
class Settings:
    """Base of all settings.

    Raises:
        PlanError: a value is of another type than its default, or outside its bounds.
    """

    def __post_init__(self) -> None:
        for entry in fields(self):
            like = entry.default if entry.default is not MISSING else entry.default_factory()  # pyright: ignore[reportCallIssue] - every setting has one of both
            # Convert to the declared type, so that 5 and 5.0 give the same identity hash.
            object.__setattr__(self, entry.name, checked(getattr(self, entry.name), like, entry))


def checked(value: Any, like: Any, entry: Field[Any], where: str = "") -> Any:
    """Validate a value and convert it to the type of its field.

    Args:
        like: an example value of the field's type.
        where: prefix of the error message, such as the file.

    Raises:
        PlanError: the value has another type, or is outside the bounds of the field.
    """
    value = _typed(value, like, f"{where}{entry.name}")
    if isinstance(value, int | float):
        low, high = entry.metadata.get(_BOUNDS, (0, math.inf))
        if not low <= value <= high or value == math.inf:  # NaN fails every comparison
            bounds = f"between {low:g} and {high:g}" if high < math.inf else f"a number from {low:g} on"
            raise PlanError(f"{where}{entry.name} must be {bounds}, not {value:g}")
    elif _KNOWN in entry.metadata and value not in (known := entry.metadata[_KNOWN]):
        prefix = entry.metadata[_PREFIX]
        if not prefix or not value.startswith(prefix):
            names = known.names() if isinstance(known, Registry) else known
            raise PlanError(f"{where}unknown {entry.name} {value!r}; {known_names(value, names)}")
    return value


def _typed(value: Any, like: Any, place: str) -> Any:
    """Convert a value to the type of ``like``; integers are accepted as floats, and so are NumPy's numbers."""
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if isinstance(like, float) and is_number:
        return float(value)
    if isinstance(like, int) and not isinstance(like, bool) and is_number and isinstance(value, Integral):
        return int(value)
    if type(value) is not type(like):
        raise PlanError(f"{place} must be of type {type(like).__name__}, not {value!r}")
    return value

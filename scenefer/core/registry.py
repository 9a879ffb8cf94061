"""Registries of named things of one kind, such as detectors or export formats, which users choose by name.

An installed package adds an entry through an entry point in the group of that kind. The target is imported only when
its name is requested:

    [project.entry-points."scenefer.detectors"]
    mine = "my_package.detector:RECORD"

A script adds an entry with ``add``; processes that it starts know the entry only if they import the script.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, TypeVar

from scenefer.core.errors import PlanError, SceneferError
from scenefer.core.text import known_names, printable

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

Entry = TypeVar("Entry")


class Registry(dict[str, Entry]):
    """A dictionary of entries by name, with helpful errors for unknown names.

    The dictionary itself holds the entries that this process added, and those of other packages that were requested so
    far. ``in``, ``[]`` and ``names`` cover all entries, including those of other packages not yet loaded.

    Args:
        what: what an entry is, in the singular, for error messages.
        error: raised for an unknown name.
        group: group of the entry points through which other packages add entries; "" = none.
        kind: class of which the target of such an entry point must be an instance.
    """

    def __init__(self, what: str, error: type[SceneferError] = PlanError, group: str = "", kind: type = object) -> None:
        super().__init__()
        self.what = what
        self.error = error
        self.group = group
        self.kind = kind

    def add(self, name: str, entry: Entry) -> Entry:
        """Add an entry under a unique name; it hides an entry of another package with the same name.

        Raises:
            ValueError: this process has already added or loaded an entry with this name.
        """
        if name in self.keys():  # keys() ignores entry points, which are only read when needed
            raise ValueError(f"there is a {self.what} {name!r} already")
        self[name] = entry
        return entry

    def find(self, name: str, others: Iterable[str] = ()) -> Entry:
        """Find an entry by its name.

        Args:
            others: further valid names without an entry here, to list and suggest in the error.

        Raises:
            SceneferError: the name is unknown, or its package cannot be imported. The class is the registry's own
                ``error``. For an unknown name the message lists the known ones and suggests the closest.
        """
        if name in self:
            return self[name]
        raise self.error(f"unknown {self.what} {name!r}; {known_names(name, {*self.names(), *others})}")

    def names(self) -> list[str]:
        """List all names, including those from other packages, sorted."""
        return sorted({*self, *_outside(self.group)})

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in _outside(self.group)

    def __missing__(self, name: str) -> Entry:
        point = _outside(self.group)[name]
        try:
            entry: Entry = point.load()
            if not isinstance(entry, self.kind):
                raise TypeError(f"{point.value} is no {self.kind.__name__}")
        except Exception as error:  # a third-party package may raise anything
            package = point.dist.name if point.dist else point.value
            why = printable(f"{type(error).__name__}: {error}")
            raise self.error(
                f"the {self.what} {name!r} of the package {package} cannot be imported ({why}); mend or uninstall it"
            ) from error
        return self.setdefault(name, entry)


def imported(target: str | Callable[..., Any]) -> Callable[..., Any]:
    """Return the function that ``"module:function"`` names and import its module only now; return a function as is."""
    return resolve_name(target) if isinstance(target, str) else target


@cache
def _outside(group: str) -> dict[str, EntryPoint]:
    """Find the entry points of a group in installed packages, by name; cached, as it takes tens of milliseconds."""
    if not group:
        return {}
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group=group)}

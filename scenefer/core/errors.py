"""The hierarchy of errors that a user can fix.

    SceneferError            caught once, in the CLI: one line on stderr and an exit code
    ├── FilmError            a file is not a film, or cannot be decoded
    │   └── AccessError      a file cannot be read (permissions, disk); its contents are not at fault
    ├── WeightsError         a weight file is unknown, absent, damaged or of another layout
    ├── SheetError           a sheet of scenes or intentions has a row that cannot be read
    ├── PlanError            a plan or an option names something that does not exist: a key, a value, a path
    ├── OutputError          a result cannot be written
    └── WorkerError          a worker was killed, hung or ran out of memory; nothing is known to be wrong with the film

A message says what is wrong, where (file, row, film time), and what to do about it. Programming errors
are ``ValueError`` and ``TypeError``, as usual in Python, and are not caught.
"""

from __future__ import annotations

import os


class SceneferError(Exception):
    """Something that the user can put right."""


class FilmError(SceneferError):
    """A file is not a film, or cannot be decoded."""


class AccessError(FilmError):
    """A film file cannot be read (permissions, disk); its contents are not at fault."""


class WeightsError(SceneferError):
    """A weight file is unknown, absent, damaged or of another layout."""


class SheetError(SceneferError):
    """A sheet of scenes or intentions has a row that cannot be read."""


class PlanError(SceneferError):
    """A plan or an option names something that does not exist: a key, a value, a path."""


class OutputError(SceneferError):
    """A result cannot be written: no permission, no space, or no such folder."""


class WorkerError(SceneferError):
    """A worker was killed, hung, ran out of memory, or hit a bug in scenefer."""


def unwritable(place: os.PathLike[str] | str, error: OSError, remedy: str) -> OutputError:
    """Make the error for a file or folder that cannot be written: why, and what to do. The caller raises it."""
    return OutputError(f"{place} cannot be written: {error.strerror or error}; {remedy}")

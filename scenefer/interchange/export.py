"""Export runs for other programs: the formats, chosen by the ending of the file name, and writing one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scenefer.core import atomic
from scenefer.core.errors import PlanError
from scenefer.core.registry import Registry, imported
from scenefer.core.text import known_names

if TYPE_CHECKING:
    from scenefer.analysis.result import Analysis
    from scenefer.comparison.scene_comparison import Comparison


class ExportFormat(NamedTuple):
    """A format in which runs are exported.

    ``write(analysis, compared, rejected)``, a function or its name as ``"module:function"``, returns the file's
    content, as text (encoded as UTF-8) or bytes, and a description of what it wrote. ``compared``: intended against
    detected, None if nothing was intended. ``rejected``: include faces that do not count.
    """

    write: str | Callable[[Analysis, Comparison | None, bool], tuple[str | bytes, str]]
    has_rejected: bool = False  # whether it lists single faces and can include rejected ones


# By lower-case ending of the file name; the longest matching ending is used.
FORMATS: Registry[ExportFormat] = Registry("export format", PlanError, "scenefer.export_formats", ExportFormat)
FORMATS.add(".csv", ExportFormat("scenefer.interchange.export_writers:as_csv", has_rejected=True))
FORMATS.add("scenes.csv", ExportFormat("scenefer.interchange.export_writers:as_scenes_csv"))
FORMATS.add("films.csv", ExportFormat("scenefer.interchange.export_writers:as_films_csv"))
FORMATS.add(".xlsx", ExportFormat("scenefer.interchange.export_writers:as_xlsx"))
FORMATS.add(".edl", ExportFormat("scenefer.interchange.export_writers:as_edl"))
FORMATS.add(".otio", ExportFormat("scenefer.interchange.export_writers:as_otio"))
FORMATS.add(".fcpxml", ExportFormat("scenefer.interchange.export_writers:as_fcpxml"))
FORMATS.add(".xml", ExportFormat("scenefer.interchange.export_writers:as_final_cut_7"))
FORMATS.add(".json", ExportFormat("scenefer.interchange.export_writers:as_json"))
FORMATS.add(".srt", ExportFormat("scenefer.interchange.export_writers:as_srt"))


def format_of(path: Path, *, rejected: bool = False) -> ExportFormat:
    """Return the format for the ending of a file name.

    Raises:
        PlanError: no format has this ending, or rejected faces are requested from a format that does not list faces.
    """
    endings = [name for name in FORMATS.names() if path.name.casefold().endswith(name)]
    if not path.suffix or not endings:
        what = repr(path.suffix) if path.suffix else "a file without a suffix"
        known = known_names(path.suffix.casefold(), FORMATS.names())
        raise PlanError(f"--to {path}: nothing is written as {what}; {known}")
    found = FORMATS.find(max(endings, key=len))
    if rejected and not found.has_rejected:
        having = " and ".join(name for name, form in FORMATS.items() if form.has_rejected)
        raise PlanError(
            f"--to {path}: only {having} has rejected faces, a row each; name it faces{having}, or leave out --rejected"
        )
    return found


def write_run(analysis: Analysis, compared: Comparison | None, path: Path, *, rejected: bool = False) -> str:
    """Export a run in the format given by the file name; return a description of what was written.

    Args:
        compared: intended against detected, if something was intended.
        rejected: with the faces that do not count.

    Raises:
        PlanError: there is no such format, or it has no rejected faces.
        OutputError: the file cannot be written.
    """
    content, said = imported(format_of(path, rejected=rejected).write)(analysis, compared, rejected)
    content = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    atomic.write_result(path, content, "choose another --to")
    return said

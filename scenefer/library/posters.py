"""A small picture of each film for the page of the library, of those that lie in its run: it goes when they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_MOST = 400  # films of a page that has pictures; a page of more would be slow to open
_WIDTHS = ((100, 216, 66), (200, 168, 62), (_MOST, 128, 58))  # up to so many films: px, the longer side; JPEG quality


def posters(reports: Path, films: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Choose a frame of each film and pack it as a data URI, by the film's id.

    Of the frames that the report shows of its scenes, that which takes most bytes: it is neither black nor blank.

    Args:
        films: rows of the table FILMS.

    Returns:
        Nothing of a film without pictures, and nothing at all where there are too many films.
    """
    from scenefer.report.images import packed

    size = next(((longest, quality) for most, longest, quality in _WIDTHS if len(films) <= most), None)
    found: dict[str, str] = {}
    for film in films if size else ():
        frame = _frame(reports / film["folder"] / "pictures")
        if size and frame is not None and (picture := packed(frame, *size)):
            found[film["film"]] = picture
    return found


def _frame(pictures: Path) -> bytes | None:
    try:
        files = sorted(pictures.glob("scene-*-keyframe-1.jpg"))
        return max(files, key=lambda file: file.stat().st_size).read_bytes() if files else None
    except OSError:
        return None

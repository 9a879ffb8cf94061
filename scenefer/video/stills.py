"""Stills and folders of stills, treated as films: picture k is the frame at k seconds."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pi_heif import register_heif_opener
from PIL import Image, UnidentifiedImageError

from scenefer.core.errors import FilmError, PlanError
from scenefer.core.film import PICTURE_SUFFIXES, Film, film_id
from scenefer.core.text import natural, printable
from scenefer.video.container import check_size
from scenefer.video.depth import eight_bits
from scenefer.video.frame import ReaderNotes

_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "DIB", "TIFF", "PPM", "GIF", "JPEG2000", "AVIF", "HEIF")
_MOVING = frozenset({"PNG", "WEBP", "GIF", "AVIF"})  # formats that may be animated
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PHOTOGRAPHS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif")  # brands
_NAMED = 5  # number of files that a warning names; the others are counted
_UNREADABLE = (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError)
_ORIENTATION = 0x0112  # EXIF
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


register_heif_opener()


class _Header(NamedTuple):
    """What the header of a picture says."""

    width: int  # pixels, as displayed
    height: int
    n_pages: int
    moves: bool  # the pages are an animation


def probe_still(path: Path) -> Film | None:
    """Read the header of a picture; None if the file is not a picture, or is animated.

    Raises:
        FilmError: it declares an impossible size, or is damaged or of an unsupported kind.
    """
    header = _header(path)
    if header is None and _begins_like_a_picture(path):
        raise FilmError(
            f"{printable(path)} is a picture that is not read: damaged, or of an unusual kind; save it as PNG or JPEG"
        )
    if header is None or header.moves:
        return None
    said = f"only the first of its {header.n_pages} pages is read" if header.n_pages > 1 else ""
    return Film(
        path,
        film_id(path),
        header.width,
        header.height,
        duration=1.0,
        frame_rate=Fraction(1),
        kind="still",
        stills=(path,),
        warnings=(said,) if said else (),
    )


def probe_folder(path: Path) -> Film:
    """Find the pictures in a folder, in natural order (2 before 10); the largest picture gives the size.

    Raises:
        PlanError: the folder has no pictures.
        FilmError: none of its pictures can be opened.
    """
    entries = sorted(path.iterdir(), key=lambda entry: natural(entry.name.lower()))
    found = [entry for entry in entries if entry.suffix.lower() in PICTURE_SUFFIXES and entry.is_file()]
    others = [entry for entry in entries if entry not in set(found) and not entry.name.startswith(".")]
    if not found:
        raise PlanError(f"{printable(path)} has no pictures; give a film, a picture, or a folder of pictures")
    headers = {picture: header for picture in found if (header := _header_or_none(picture))}
    if not headers:
        raise FilmError(f"{printable(path)} is not readable: none of its {len(found)} pictures can be opened")
    largest = max(headers.values(), key=lambda header: header.width * header.height)
    several = [picture for picture, header in headers.items() if header.n_pages > 1]
    digest = hashlib.sha256()
    for picture in found:
        digest.update(film_id(picture).encode())
    return Film(
        path,
        digest.hexdigest()[:16],
        largest.width,
        largest.height,
        duration=float(len(found)),
        frame_rate=Fraction(1),
        kind="stills",
        stills=tuple(found),
        warnings=(
            *([f"left out of the folder, for they are no pictures: {_some(others)}"] if others else []),
            *([f"only the first picture is read of {_some(several)}"] if several else []),
        ),
    )


def _begins_like_a_picture(path: Path) -> bool:
    """Recognise a TIFF or a HEIC by its first bytes; opened as a film, one of its tiles might be taken for a video."""
    with path.open("rb") as file:
        head = file.read(12)
    return head[:4] in _TIFF or (head[4:8] == b"ftyp" and head[8:] in _PHOTOGRAPHS)


def _some(entries: Sequence[Path]) -> str:
    names = [printable(Path(entry.name)) for entry in entries[:_NAMED]]
    return ", ".join(names) + (f" and {len(entries) - _NAMED} more" if len(entries) > _NAMED else "")


def pictures(film: Film, notes: ReaderNotes) -> Generator[tuple[float, np.ndarray], None, None]:
    """Yield film time and pixels (H, W, 3) uint8 of each picture, each of its own size.

    Raises:
        FilmError: a single still is damaged; in a folder, a damaged picture is noted and skipped.
    """
    for k, path in enumerate(film.stills):
        try:
            picture = None if _header_or_none(path) is None else np.array(_pixels(path))
        except _UNREADABLE:
            picture = None
        if picture is not None:
            yield float(k), picture
        elif film.kind == "still":
            raise FilmError(f"{printable(path)} is not readable: the picture is damaged; copy it again")
        else:
            notes.damage(float(k), printable(Path(path.name)))


def _header_or_none(path: Path) -> _Header | None:
    try:
        return _header(path)
    except FilmError:  # one oversized picture must not make the whole folder fail
        return None


def _header(path: Path) -> _Header | None:
    try:
        with _silence(), Image.open(path, formats=_FORMATS) as picture:
            width, height = picture.size
            if _orientation(picture) >= 5:
                width, height = height, width
            n_pages = getattr(picture, "n_frames", 1) if picture.format != "MPO" else 1
            moves = n_pages > 1 and picture.format in _MOVING
    except Image.DecompressionBombError as error:
        raise FilmError(f"{printable(path)} declares more pixels than pictures have; scale it down first") from error
    except _UNREADABLE:
        return None
    check_size(path, width, height)
    return _Header(width, height, n_pages, moves)


def _pixels(path: Path) -> Image.Image:
    with _silence(), Image.open(path, formats=_FORMATS) as stored:
        return displayed(stored, path)


def displayed(stored: Image.Image, path: Path | None = None) -> Image.Image:
    """Return a picture as displayed: RGB, 8 bits, rotated by its EXIF orientation, transparency on white.

    Args:
        path: its file, if it has one.
    """
    # Not ImageOps.exif_transpose: it rewrites the tags, and fails if any of them has a wrong type.
    turn = _UPRIGHT.get(_orientation(stored))
    stored.load()
    shallow = eight_bits(stored, path) or stored
    picture = shallow if turn is None else shallow.transpose(turn)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    return picture.convert("RGB")


def _orientation(picture: Image.Image) -> int:
    turn = picture.getexif().get(_ORIENTATION, 1)
    return turn if isinstance(turn, int) else 1


@contextmanager
def _silence() -> Generator[None, None, None]:
    """Suppress Pillow's warnings about large pictures (we have our own limit) and about damage."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        warnings.simplefilter("ignore", UserWarning)
        yield

"""Decode the text of a list of scenes in any encoding that editing programs and spreadsheets write."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from scenefer.core.errors import SheetError
from scenefer.core.text import printable
from scenefer.interchange.list_formats import readable

LARGEST = 20 << 20  # bytes; far more than a typed sheet or the timeline of a film needs
_MARKS = (  # longer marks first: the UTF-32 mark starts with the UTF-16 mark
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"""<\?xml[^>]{0,100}encoding\s*=\s*["']([\w.:-]{1,40})["']""")


def read_bytes(path: Path) -> bytes:
    """Read a list of scenes.

    Raises:
        SheetError: it cannot be read, or is larger than 20 MB.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise SheetError(
                f"{printable(path)} has {size / 2**20:.0f} MB; a list of scenes has less than {LARGEST >> 20}"
            )
        return path.read_bytes()
    except OSError as error:
        raise SheetError(
            f"{printable(path)} cannot be read: {error.strerror}; give the path of a list of scenes"
        ) from error


def read_text(path: Path, remedy: str) -> tuple[str, list[str]]:
    """Read a list of scenes as text: UTF-8, UTF-16, UTF-32, the encoding declared in XML, or else Windows-1252.

    Args:
        remedy: how to save it so that it can be read.

    Returns:
        The text, and notices about its encoding, as sentences.

    Raises:
        SheetError: it cannot be read, is larger than 20 MB, or is not text.
    """
    raw = read_bytes(path)
    if raw.startswith(b"PK\x03\x04"):
        raise SheetError(f"{printable(path)} is a spreadsheet or an archive, no text; {remedy}; {readable()}")
    encoding, raw = _encoding(raw)
    try:
        return raw.decode(encoding), []
    except LookupError:
        raise SheetError(f"{printable(path)} declares the unknown encoding {encoding!r}; {remedy}") from None
    except UnicodeDecodeError as error:
        if encoding != "utf-8" or b"\0" in raw:
            raise SheetError(
                f"{printable(path)} is not {encoding.upper()} as it seems; {remedy}; {readable()}"
            ) from error
        row, byte = raw[: error.start].count(b"\n") + 1, raw[error.start]
    try:
        text = raw.decode("cp1252")
    except UnicodeDecodeError as error:
        raise SheetError(
            f"{printable(path)}, row {row}: byte 0x{byte:02x} is not UTF-8, nor is all of it Windows-1252; {remedy}"
        ) from error
    return text, [f"it is not UTF-8 (row {row}) and was read as Windows-1252; {remedy} if names look wrong"]


def _encoding(raw: bytes) -> tuple[str, bytes]:
    """Detect an encoding by the byte order mark, by the zeros of ASCII in UTF-16, or by the XML declaration."""
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return encoding, raw[len(mark) :]
    head = raw[:200]
    if head[1::2].count(0) > len(head) // 4:  # English text in UTF-16 has zeros at every other byte, even if cut off
        return "utf-16-le", raw
    if head[::2].count(0) > len(head) // 4:
        return "utf-16-be", raw
    declared = _DECLARED.match(raw.lstrip()[:200])
    if declared is None:
        return "utf-8", raw
    name = declared[1].decode("ascii").casefold()
    # If the declaration is readable as ASCII, the text is not UTF-16, even if it says so: some programs declare UTF-16
    # in UTF-8 files.
    return ("utf-8" if name.startswith(("utf-16", "utf-8")) or name == "utf8" else name), raw

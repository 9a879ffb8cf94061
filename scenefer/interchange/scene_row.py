"""A scene as a list has it, before it is held against the film."""

from __future__ import annotations

from dataclasses import dataclass

REQUIRED = ("scene", "start", "end")
COLUMNS = (*REQUIRED, "intended", "character", "note")
MANY = 200  # clips of a timeline, or scenes of PySceneDetect; if there are more, they are shots rather than scenes


@dataclass(frozen=True)
class Row:
    """A scene as a list has it, before it is held against the film."""

    number: int  # row number in the spreadsheet, or position among the markers or clips
    scene: str
    start: float  # seconds, in the list's own time base
    end: float
    hours: float = 0.0  # the whole hours of the start, in its own notation, as seconds
    intended: str | None = None
    character: str | None = None
    note: str | None = None
    others: tuple[str | None, ...] = ()  # values of unknown columns, which are kept
    kind: str = "row"
    counts_frames: bool = False  # its times are timecodes, so the film's own timecode may apply to them

    @property
    def place(self) -> str:
        """Describe the row for a message."""
        return f"{self.kind} {self.number} ({self.scene})"

    def cell(self, column: str) -> str:
        """Describe one of its values for a message."""
        return f"{self.place}, {'column ' * (self.kind == 'row')}{column}"


def one_line(text: str) -> str:
    """Reduce a name to one line, which every list format can hold."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())

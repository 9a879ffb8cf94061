"""What a session shows on a terminal: a panel that is drawn again and again, or lines where there is no terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from scenefer.core.film import clock
from scenefer.core.schema import EMOTIONS
from scenefer.core.text import printable

if TYPE_CHECKING:
    import numpy as np

    from scenefer.live.reading import Face
    from scenefer.live.session import Session, View

_MOST_FACES = 8  # that have a line of their own
_BAR = 30  # characters of a bar, where there is room


def panel(
    session: Session,
    name: str,
    *,
    width: int,
    colours: bool = True,
    address: str | None = None,
    meant: str | None = None,
) -> Panel:
    """Draw a session as it stands.

    Args:
        name: of the source.
        width: characters of the terminal.
        colours: the terminal has blocks and colours; else bars are of #.
        address: of the page, where there is one.
        meant: what is intended, as it was said.
    """
    view = session.board.item
    parts: list[RenderableType] = [Text(pace_line(view, session.silence()), style="bold")]
    if view is not None:
        parts += [Text(), _bars(view, session.intended, meant, width, colours), Text(), _faces(view)]
    if address is not None:
        parts += [Text(), Text(f"page: {address}", overflow="fold")]
    record = session.recording
    if record is not None:
        failed = record.failed
        said = f"recorded to {printable(record.folder)}" if failed is None else f"no longer recorded: {failed}"
        parts.append(Text(said, style="red" if failed else "", overflow="fold"))
    title = Text(f"scenefer live · {printable(name)}", overflow="ellipsis", no_wrap=True)
    return Panel(Group(*parts), title=title, title_align="left", subtitle="Ctrl-C ends", subtitle_align="right")


def pace_line(view: View | None, silence: float = 0.0) -> str:
    """Say how fast and how late pictures are read, and how many were left out."""
    if silence:
        return f"no picture for {silence:.0f} s"
    if view is None:
        return "waiting for the first picture"
    pace = view.pace
    delay = "–" if pace.delay is None or pace.late is None else f"{1000 * pace.delay:.0f} ms late"
    return f"{clock(view.time)[:-2]}  {pace.pictures:.1f} pictures/s  {delay}  {view.n_dropped} left out"


def line(view: View, meant: str | None = None) -> str:
    """Write a session in one line: pace, who is seen, the last seconds."""
    seen = " · ".join(_said(face) for face in view.faces) or "no face"
    parts = [pace_line(view), seen]
    if view.shares is not None:
        order = sorted(range(len(EMOTIONS)), key=lambda place: -view.shares[place])[:3]  # pyright: ignore[reportOptionalSubscript] - is not None
        parts.append("10 s: " + " · ".join(f"{EMOTIONS[place]} {view.shares[place]:.0%}" for place in order))
    if view.misplaced is not None:
        parts.append(f"{view.misplaced:.0%} not as intended ({meant})")
    return " | ".join(parts)


def _said(face: Face) -> str:
    return f"{face.number} {face.emotion} {face.probability:.0%}" if face.why is None else f"{face.number} {face.why}"


def _bars(view: View, intended: np.ndarray | None, meant: str | None, width: int, colours: bool) -> RenderableType:
    full = max(10, min(_BAR, width - 36))
    table = Table.grid(padding=(0, 1))
    for _ in range(3):
        table.add_column(no_wrap=True)
    for place, emotion in enumerate(EMOTIONS):
        share = 0.0 if view.shares is None else float(view.shares[place])
        mark = None if intended is None or not intended[place] else float(intended[place])
        bar = _bar(share, mark, full, colours)
        said = "–" if view.shares is None else f"{share:4.0%}"
        table.add_row(emotion, bar, said + (f"  intended {mark:.0%}" if mark is not None else ""))
    title = f"the last ten seconds, {view.face_seconds:.0f} s of faces"
    if view.misplaced is not None:
        title += f"; {view.misplaced:.0%} of it not as intended ({meant})"
    return Group(Text(title), table)


def _bar(share: float, mark: float | None, full: int, colours: bool) -> Text:
    """Draw a share, and where the intended one ends."""
    done = round(share * full)
    cells = list(("█" if colours else "#") * done + ("·" if colours else ".") * (full - done))
    if mark is not None:
        cells[min(full - 1, max(0, round(mark * full) - 1))] = "┃" if colours else "|"
    return Text("".join(cells))


def _faces(view: View) -> RenderableType:
    if not view.faces:
        return Text("no face is seen", style="dim")
    table = Table.grid(padding=(0, 2))
    for face in view.faces[:_MOST_FACES]:
        said = "" if face.why is None else f"does not count: {face.why}"
        style = "" if face.why is None else "dim"
        table.add_row(str(face.number), f"{face.emotion} {face.probability:.0%}", said, style=style)
    if (more := len(view.faces) - _MOST_FACES) > 0:
        table.add_row("", f"and {more} more", "")
    return table

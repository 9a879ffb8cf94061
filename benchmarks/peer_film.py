"""The sixty seconds of 1080p that ``benchmarks.peers`` gives to every program, with the annotations of their pieces.

The test film up to its last scene, which shows all seven emotions, hard cuts, a dissolve, a fade and a flicker; and
since hardly anybody is sad in it, some seconds of a clip in which somebody is.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from benchmarks.scoring import Segment, Truth, read_truth

WIDTH, HEIGHT, RATE = 1920, 1080, 25  # px, px, frames a second, whatever the rate of a piece


class Piece(NamedTuple):
    """The frames [start, end) of an annotated clip."""

    clip: str
    start: int
    end: int


PIECES = (Piece("testfilm_720p25.mp4", 0, 1440), Piece("acted_sad_to_happy_pexels.mp4", 92, 152))


def make(folder: Path, film: Path, pieces: Sequence[Piece] = PIECES) -> None:
    """Write the pieces of clips in ``folder`` one after another, enlarged, as H.264 with a key frame every ten seconds.

    Every frame becomes one frame, so that annotated frame numbers stay true; pieces of another rate play faster or
    slower.
    """
    from imageio_ffmpeg import get_ffmpeg_exe

    chains = [
        f"[{k}:v]trim=start_frame={piece.start}:end_frame={piece.end},setpts=N/({RATE}*TB),"
        f"scale={WIDTH}:{HEIGHT}:force_original_aspect_ratio=decrease:flags=bicubic,"
        f"pad={WIDTH}:{HEIGHT}:-1:-1,setsar=1,format=yuv420p[{k}]"
        for k, piece in enumerate(pieces)
    ]
    joined = "".join(f"[{k}]" for k in range(len(pieces))) + f"concat=n={len(pieces)},fps={RATE}[film]"
    clips = [argument for piece in pieces for argument in ("-i", str(folder / piece.clip))]
    coding = ["-c:v", "libx264", "-preset", "medium", "-crf", "21", "-g", str(10 * RATE), "-bf", "3"]
    command = [get_ffmpeg_exe(), "-y", "-v", "error", *clips, "-filter_complex", ";".join([*chains, joined])]
    subprocess.run([*command, "-map", "[film]", *coding, "-movflags", "+faststart", str(film)], check=True)


def truth(folder: Path, pieces: Sequence[Piece] = PIECES) -> Truth:
    """Read the annotations of the pieces, as frames of the film that they make; each join is a cut."""
    starts = [0, *accumulate(piece.end - piece.start for piece in pieces)]
    parts = [
        shifted(read_truth(folder / "truth" / f"{Path(piece.clip).stem}.json"), piece, start)
        for piece, start in zip(pieces, starts, strict=False)
    ]
    joins = starts[1:-1]
    return Truth(
        clip="peers.mp4",
        cuts=(tuple(sorted([*joins, *(cut for part in parts for cut in part.cuts[0])])),),
        gradual=tuple(one for part in parts for one in part.gradual),
        not_cuts=tuple(frame for part in parts for frame in part.not_cuts),
        segments=tuple(one for part in parts for one in part.segments),
        n_frames=starts[-1],
    )


def shifted(whole: Truth, piece: Piece, to: int) -> Truth:
    """Keep what is annotated of a piece of a clip, with frames counted as in a film in which it begins at ``to``.

    A segment that is only partly in the piece is shortened. Boxes are left out: they are in pixels of the clip. A
    transition must be in the piece as a whole or not at all.
    """
    by = to - piece.start

    def segment(one: Segment) -> Segment:
        start, end = max(one.start, piece.start) + by, min(one.end, piece.end) + by
        return one._replace(start=start, end=end, boxes={}, box_frame=None)

    def inside(frame: int) -> bool:
        return piece.start < frame < piece.end

    return replace(
        whole,
        cuts=tuple(tuple(cut + by for cut in cuts if inside(cut)) for cuts in whole.cuts),
        gradual=tuple(
            one._replace(start=one.start + by, end=one.end + by)
            for one in whole.gradual
            if inside(one.start) and inside(one.end)
        ),
        not_cuts=tuple(frame + by for frame in whole.not_cuts if inside(frame)),
        segments=tuple(segment(one) for one in whole.segments if one.start < piece.end and piece.start < one.end),
        n_frames=piece.end - piece.start,
    )

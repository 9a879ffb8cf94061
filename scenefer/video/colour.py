"""Decoded frames to RGB pictures as displayed.

swscale converts directly from the decoder's planes, with the colour matrix and range that the film declares. HDR is
converted to standard range (``hdr.py``); rotation is applied last.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import av.error
import av.filter
import cv2
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation, VideoReformatter

from scenefer.video.hdr import to_standard_range
from scenefer.video.picture import ArrayPicture, DecodedPicture, Picture

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

    from scenefer.core.film import Film
    from scenefer.video.frame import ReaderNotes

SMALL_WIDTH = 160  # px
_LEGIBLE = 320 * 180  # px; at this size, a face that is just large enough at 640 x 360 has 12 px
_SAME_SHAPE = 0.02  # tolerance for equal aspect ratios, because encoders round sides to multiples of 16

# AVColorSpace (ITU-T H.273, MatrixCoefficients) to swscale's matrices; others are guessed from the frame size.
_MATRICES = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
_HDR: dict[int, str] = {ColorTrc.SMPTE2084: "PQ", ColorTrc.ARIB_STD_B67: "HLG"}


def small_size(width: int, height: int) -> tuple[int, int]:
    """Width and height of the small picture: 160 px wide, same aspect ratio, never enlarged."""
    if width <= SMALL_WIDTH:
        return width, height
    return SMALL_WIDTH, max(1, round(height * SMALL_WIDTH / width))


def displayed_size(width: int, height: int, ratio: Fraction, rotation: int) -> tuple[int, int]:
    """The size on a screen with square pixels; one side is stretched, never reduced, so that no detail is lost."""
    width, height = (round(width * ratio), height) if ratio >= 1 else (width, round(height / ratio))
    return (height, width) if rotation in (90, 270) else (width, height)


def fitting(width: float | Fraction, height: float, within: tuple[int, int]) -> tuple[int, int]:
    """The largest size inside a width and height that keeps a picture's aspect ratio, such as portrait in landscape."""
    wider = float(width / height) / (within[0] / within[1])
    if abs(wider - 1) <= _SAME_SHAPE:
        return within
    if wider > 1:
        return within[0], max(1, round(within[1] / wider))
    return max(1, round(within[0] * wider)), within[1]


class Converter:
    """Makes the small and the full picture of a film's frames, with a separate swscale context for each size."""

    def __init__(self, film: Film, notes: ReaderNotes):
        self._mirrored, self._turns = film.mirrored, film.rotation // 90 % 4  # quarter turns, clockwise
        lying = self._turns % 2 == 1
        self._full = (film.height, film.width) if lying else (film.width, film.height)
        small = small_size(film.width, film.height)
        self._small = (small[1], small[0]) if lying else small
        self._to_full = VideoReformatter()
        # One to shrink, one to convert to RGB.
        self._to_small, self._to_reduced = ((VideoReformatter(), VideoReformatter()) for _ in range(2))
        self._film, self._notes = film, notes

    def picture(self, frame: VideoFrame) -> Picture:
        """The picture at the displayed size, that of the film, converted when it is asked for."""
        return DecodedPicture(frame, self, (self._film.width, self._film.height))

    def legible(self, frame: VideoFrame, time: float) -> bool:
        """Whether a picture is large enough to search for faces: not if it is small and much smaller than the film."""
        width, height = self._size(frame)
        if width * height >= min(_LEGIBLE, self._film.width * self._film.height / 4):
            return True
        self._notes.n_too_small += 1
        if self._notes.first_too_small is None:
            self._notes.first_too_small = time
        return False

    def full(self, frame: VideoFrame) -> np.ndarray:
        """The picture at the displayed size: (H, W, 3) uint8."""
        same = (frame.width, frame.height) == self._full
        how = Interpolation.BILINEAR if same else Interpolation.BICUBIC
        size = fitting(frame.width * self._film.sample_aspect_ratio, frame.height, self._full)
        return self._displayed(_on_black(self._to_rgb(self._to_full, frame, size, how), self._full))

    def small(self, frame: VideoFrame) -> np.ndarray:
        """The picture at 160 px width: (h, w, 3) uint8.

        Made quickly, since every frame has one: of a row, the two pixels next to each place. Scores of cuts differ by
        at most 0.01 from those of averages of all of them, at twice the size.
        """
        self._notes.n_resized += self._size(frame) != (self._film.width, self._film.height)
        return self._shrunk(frame, self._small, self._to_small, Interpolation.FAST_BILINEAR)

    def reduced(self, frame: VideoFrame, size: tuple[int, int]) -> np.ndarray:
        """The picture at a smaller displayed size (width, height): (h, w, 3) uint8, reduced by area averaging."""
        stored = (size[1], size[0]) if self._turns % 2 == 1 else size
        return self._shrunk(frame, stored, self._to_reduced, Interpolation.AREA)

    def _shrunk(
        self,
        frame: VideoFrame,
        within: tuple[int, int],
        reformatters: tuple[VideoReformatter, VideoReformatter],
        how: Interpolation,
    ) -> np.ndarray:
        size = fitting(frame.width * self._film.sample_aspect_ratio, frame.height, within)
        if frame.width > size[0] and frame.format.name.startswith(("yuv", "nv1", "p01")):
            # Shrink as YUV 4:2:0 first: half the cost of shrinking and converting to RGB in one step.
            matrix, full_range = _matrix(frame), _range(frame)
            frame = reformatters[0].reformat(
                frame,
                *size,
                format="yuv420p10le" if frame.color_trc in _HDR else "yuv420p",
                src_colorspace=matrix,
                dst_colorspace=matrix,
                src_color_range=full_range,
                dst_color_range=full_range,
                interpolation=how,
                threads=1,
            )
        picture = self._to_rgb(reformatters[1], frame, size, Interpolation.AREA)
        return self._displayed(_on_black(picture, within))

    def _size(self, frame: VideoFrame) -> tuple[int, int]:
        return displayed_size(frame.width, frame.height, self._film.sample_aspect_ratio, self._film.rotation)

    def _to_rgb(
        self, reformatter: VideoReformatter, frame: VideoFrame, size: tuple[int, int], how: Interpolation
    ) -> np.ndarray:
        matrix = _matrix(frame)
        transfer = _HDR.get(frame.color_trc)
        converted = reformatter.reformat(
            frame,
            *size,
            format="rgb48le" if transfer else "rgb24",
            src_colorspace=matrix,
            dst_colorspace=matrix,
            src_color_range=_range(frame),
            dst_color_range=ColorRange.JPEG,
            interpolation=how,
            threads=1,
        ).to_ndarray()
        if transfer is None:
            return converted
        self._notes.hdr = transfer
        return to_standard_range(converted, transfer, wide=frame.color_primaries == ColorPrimaries.BT2020)

    def _displayed(self, stored: np.ndarray) -> np.ndarray:
        seen = stored[:, ::-1] if self._mirrored else stored
        return np.ascontiguousarray(np.rot90(seen, -self._turns) if self._turns else seen)


def _on_black(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Centre a picture (h, w, 3) on a black background of the given width and height, which must be large enough."""
    height, width = picture.shape[:2]
    if (width, height) == size:
        return picture
    black = np.zeros((size[1], size[0], 3), picture.dtype)
    top, left = (size[1] - height) // 2, (size[0] - width) // 2
    black[top : top + height, left : left + width] = picture
    return black


def _matrix(frame: VideoFrame) -> Colorspace | None:
    if frame.format.is_rgb:
        return None
    known = _MATRICES.get(frame.colorspace)
    if known is not None:
        return known
    # Unspecified: high definition is BT.709, the rest BT.601. mpv's rule, which also works for letterbox crops:
    # https://github.com/mpv-player/mpv/blob/master/video/csputils.c (mp_csp_guess_colorspace)
    return Colorspace.ITU709 if frame.width >= 1280 or frame.height > 576 else Colorspace.ITU601


def _range(frame: VideoFrame) -> ColorRange | None:
    if frame.format.is_rgb:
        return None
    full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    return ColorRange.JPEG if full else ColorRange.MPEG


class ArrayConverter:
    """Makes the small and the full picture from arrays (H, W, 3) uint8 RGB that are already rotated upright.

    The full picture of a still keeps its own size; all small pictures have the same size.
    """

    def __init__(self, film: Film):
        self._displayed = (film.width, film.height) if film.kind == "video" else None
        self._small = small_size(film.width, film.height)

    def legible(self, picture: np.ndarray, time: float) -> bool:
        """Whether a picture is large enough to search for faces; always true, as it has the film's size."""
        return True

    def picture(self, pixels: np.ndarray) -> Picture:
        """The picture at the displayed size."""
        return ArrayPicture(pixels, self._displayed)

    def small(self, picture: np.ndarray) -> np.ndarray:
        """The picture at 160 px width."""
        height, width = picture.shape[:2]
        if (width, height) == self._small:
            return picture
        size = fitting(width, height, self._small)
        return _on_black(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), self._small)


def deinterlaced(source: Iterator[VideoFrame], notes: ReaderNotes) -> Iterator[VideoFrame]:
    """Pass progressive frames through and deinterlace interlaced ones with bwdif: one frame out for each frame in.

    bwdif needs both neighbours of a frame, so from the first interlaced frame on, output lags by one frame.
    """
    graph: av.filter.Graph | None = None
    shape: tuple[object, ...] = ()
    for frame in source:
        notes.n_deinterlaced += frame.interlaced_frame
        if graph is None and not frame.interlaced_frame:
            yield frame
            continue
        if graph is None or shape != (shape := _shape(frame)):
            yield from _pulled(graph, last=True)
            graph = _bwdif(frame)
        graph.push(frame)
        yield from _pulled(graph)
    yield from _pulled(graph, last=True)


def _pulled(graph: av.filter.Graph | None, last: bool = False) -> Iterator[VideoFrame]:
    if graph is None:
        return
    if last:
        graph.push(None)
    while True:
        try:
            yield graph.pull()  # pyright: ignore[reportReturnType]  # a graph of video filters gives video frames
        except (av.error.BlockingIOError, av.error.EOFError):
            return


def _shape(frame: VideoFrame) -> tuple[object, ...]:
    return frame.width, frame.height, frame.format.name, frame.colorspace, frame.color_range


def _bwdif(frame: VideoFrame) -> av.filter.Graph:
    graph = av.filter.Graph()
    graph.threads = 1
    source = graph.add(
        "buffer",
        f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}:time_base={frame.time_base}:"
        f"pixel_aspect=1/1:colorspace={frame.colorspace}:range={frame.color_range}",
    )
    deinterlace = graph.add("bwdif", "mode=send_frame:deint=interlaced")
    graph.link_nodes(source, deinterlace, graph.add("buffersink")).configure()
    return graph

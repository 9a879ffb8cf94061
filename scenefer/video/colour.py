"""Decoded frames to RGB pictures as displayed.

swscale does the work, straight from the decoder's planes: matrix and range are those that the film declares. HDR is
converted (``hdr.py``), rotation applied last.
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

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

    from scenefer.film import Film
    from scenefer.video.frame import ReaderNotes

SMALL_WIDTH = 320  # px

# AVColorSpace (ITU-T H.273, MatrixCoefficients) to swscale's matrices; what is not in it is guessed from the size.
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
    """Width and height of the small picture: 320 px wide, never enlarged, of the same shape."""
    if width <= SMALL_WIDTH:
        return width, height
    return SMALL_WIDTH, max(1, round(height * SMALL_WIDTH / width))


def displayed_size(width: int, height: int, ratio: Fraction, rotation: int) -> tuple[int, int]:
    """The size on a screen with square pixels; the side that is too short is stretched, so that no detail is lost."""
    width, height = (round(width * ratio), height) if ratio >= 1 else (width, round(height / ratio))
    return (height, width) if rotation in (90, 270) else (width, height)


class Converter:
    """Makes the small and the full picture of the frames of one film; each size has its own set-up of swscale."""

    def __init__(self, film: Film, notes: ReaderNotes):
        self._mirrored, self._turns = film.mirrored, film.rotation // 90 % 4  # quarter turns, clockwise
        lying = self._turns % 2 == 1
        self._full = (film.height, film.width) if lying else (film.width, film.height)
        small = small_size(film.width, film.height)
        self._small = (small[1], small[0]) if lying else small
        self._to_full, self._to_shrunk, self._to_small = VideoReformatter(), VideoReformatter(), VideoReformatter()
        self._film, self._notes = film, notes

    def full(self, frame: VideoFrame) -> np.ndarray:
        """The picture at the displayed size: (H, W, 3) uint8."""
        same = (frame.width, frame.height) == self._full
        how = Interpolation.BILINEAR if same else Interpolation.BICUBIC
        return self._displayed(self._to_rgb(self._to_full, frame, self._full, how))

    def small(self, frame: VideoFrame) -> np.ndarray:
        """The picture at 320 px width: (h, w, 3) uint8, every pixel the mean of the area that it covers."""
        film = self._film
        size = displayed_size(frame.width, frame.height, film.sample_aspect_ratio, film.rotation)
        self._notes.n_resized += size != (film.width, film.height)
        if frame.width > self._small[0] and frame.format.name.startswith(("yuv", "nv1", "p01")):
            # Shrunk as YUV 4:2:0 first, which costs half of shrinking to RGB at once.
            matrix, full_range = _matrix(frame), _range(frame)
            frame = self._to_shrunk.reformat(
                frame,
                *self._small,
                format="yuv420p10le" if frame.color_trc in _HDR else "yuv420p",
                src_colorspace=matrix,
                dst_colorspace=matrix,
                src_color_range=full_range,
                dst_color_range=full_range,
                interpolation=Interpolation.AREA,
                threads=1,
            )
        return self._displayed(self._to_rgb(self._to_small, frame, self._small, Interpolation.AREA))

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


def _matrix(frame: VideoFrame) -> Colorspace | None:
    if frame.format.is_rgb:
        return None
    known = _MATRICES.get(frame.colorspace)
    if known is not None:
        return known
    # Unspecified: high definition is BT.709, the rest BT.601. mpv's rule, which sees through letterbox crops:
    # https://github.com/mpv-player/mpv/blob/master/video/csputils.c (mp_csp_guess_colorspace)
    return Colorspace.ITU709 if frame.width >= 1280 or frame.height > 576 else Colorspace.ITU601


def _range(frame: VideoFrame) -> ColorRange | None:
    if frame.format.is_rgb:
        return None
    full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    return ColorRange.JPEG if full else ColorRange.MPEG


class ArrayConverter:
    """Makes the small and the full picture from arrays (H, W, 3) uint8 RGB, turned upright already."""

    def __init__(self, film: Film):
        self._full = (film.width, film.height)
        self._small = small_size(film.width, film.height)

    def full(self, picture: np.ndarray) -> np.ndarray:
        """The picture at the displayed size."""
        same = (picture.shape[1], picture.shape[0]) == self._full
        return picture if same else cv2.resize(picture, self._full, interpolation=cv2.INTER_CUBIC)

    def small(self, picture: np.ndarray) -> np.ndarray:
        """The picture at 320 px width."""
        same = (picture.shape[1], picture.shape[0]) == self._small
        return picture if same else cv2.resize(picture, self._small, interpolation=cv2.INTER_AREA)


def deinterlaced(source: Iterator[VideoFrame], notes: ReaderNotes) -> Iterator[VideoFrame]:
    """Pass progressive frames on and deinterlace the others with bwdif: one frame out for one in.

    bwdif looks at both neighbours of a frame, so from the first interlaced one on frames come one late.
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

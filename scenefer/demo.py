"""A short film to try scenefer on, made from one public-domain portrait and encoded here, so nothing is downloaded.

A framed portrait on a wall, a push-in, a close-up, a view from orbit without a face, and, after a dissolve, the face
again. The sheet next to it says what each scene was meant to show; one scene deliberately does not match.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np

from scenefer.core import jpeg
from scenefer.core.errors import OutputError, unwritable

RATE = 25  # frames a second
SIZE = (1280, 720)  # width, height
SPEEDS = (0.5, 2.0)  # slowest and fastest; faster, scenes would show too little of the face for percentages

SHEET = """scene,start,end,intended,character,note
gallery,{:.3f},{:.3f},happy,Eileen,the portrait hangs on the wall: a small face
portrait,{:.3f},{:.3f},happy:0.8;neutral:0.2,Eileen,a push-in and a close-up
orbit,{:.3f},{:.3f},neutral,,nobody is seen
return,{:.3f},{:.3f},sad,Eileen,the face smiles: not matching is the right answer
"""
TIMES = (0.0, 5.0, 5.0, 13.0, 13.0, 18.4, 18.4, 24.0)  # seconds, of the sheet's scenes


class View(NamedTuple):
    """What the camera sees of a picture: the centre of the view and its width, in pixels of the picture."""

    x: float
    y: float
    width: float


class Shot(NamedTuple):
    """A picture under a moving camera."""

    picture: np.ndarray  # (H, W, 3) uint8 RGB
    begin: View
    end: View
    seconds: float
    dissolve: float = 0.0  # seconds of the dissolve from the shot before, which lasts that much longer


def write_demo(folder: Path, speed: float = 1.0) -> tuple[Path, Path]:
    """Write the demo film (24 s, 1280 × 720, H.264) and its sheet of scenes and intentions.

    Args:
        speed: how many times as fast the camera moves and the film ends; another speed is another cut of the film.

    Returns:
        The paths of the film and of the sheet.

    Raises:
        OutputError: the folder cannot be written.
    """
    film, sheet = folder / "demo.mp4", folder / "demo.csv"
    beside = film.with_name(film.name + ".tmp")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _encode(beside, speed)
        os.replace(beside, film)
        sheet.write_text(SHEET.format(*(time / speed for time in TIMES)), encoding="utf-8")
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise unwritable(folder, error, "choose another folder") from error
    return film, sheet


def pictures(speed: float = 1.0) -> Iterator[np.ndarray]:
    """Paint the film's frames, (720, 1280, 3) uint8 RGB, 25 a second, in order."""
    noise = np.random.default_rng(7)
    grain = [
        np.repeat(noise.normal(0, 1.8, (SIZE[1], SIZE[0], 1)).round().astype(np.int16), 3, axis=2) for _ in range(5)
    ]
    before: Shot | None = None
    painted = 0
    for shot in _shots(speed):
        for k in range(round(shot.seconds * RATE)):
            time = k / RATE
            picture = _seen(shot, time)
            if before is not None and time < shot.dissolve:
                share = (time + 1 / RATE) / (shot.dissolve + 1 / RATE)
                picture = cv2.addWeighted(picture, share, _seen(before, before.seconds + time), 1 - share, 0)
            yield cv2.add(picture, grain[painted % len(grain)], dtype=cv2.CV_8U)
            painted += 1
        before = shot


def _shots(speed: float) -> list[Shot]:
    portrait = _portrait()  # 3 × the size of the file, the face around (675, 360)
    gallery = _gallery(portrait)
    orbit = _orbit()
    shots = [
        # Blur before downscaling, or fine lines would flicker.
        Shot(cv2.GaussianBlur(gallery, (0, 0), 0.6), View(960, 540, 1920), View(985, 520, 1700), seconds=5.0),
        Shot(portrait, View(768, 432, 1500), View(705, 400, 1080), seconds=4.0),
        Shot(portrait, View(665, 375, 640), View(672, 366, 590), seconds=4.0),
        Shot(orbit, View(800, 470, 1440), View(900, 450, 1380), seconds=5.0),
        Shot(portrait, View(640, 420, 980), View(690, 395, 860), seconds=6.0, dissolve=0.8),
    ]
    return [shot._replace(seconds=shot.seconds / speed, dissolve=shot.dissolve / speed) for shot in shots]


def _seen(shot: Shot, time: float) -> np.ndarray:
    """Take one frame, (720, 1280, 3) uint8: the camera starts and stops gently."""
    done = time / shot.seconds
    eased = done * done * (3 - 2 * done) if done < 1 else 1.0
    x, y, width = (a + (b - a) * eased for a, b in zip(shot.begin, shot.end, strict=True))
    scale = width / SIZE[0]  # pixels of the picture per pixel of the film
    back = np.array(
        [[scale, 0, x - scale * SIZE[0] / 2], [0, scale, y - scale * SIZE[1] / 2]],
        np.float64,
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    # Linear interpolation is enough: the pictures have a higher resolution than the film.
    return cv2.warpAffine(shot.picture, back, SIZE, flags=flags, borderMode=cv2.BORDER_REFLECT)


def _portrait() -> np.ndarray:
    small = jpeg.decode(files("scenefer").joinpath("assets/portrait.jpg").read_bytes())
    large = cv2.resize(small, None, fx=3, fy=3, interpolation=cv2.INTER_LANCZOS4)
    return cv2.addWeighted(large, 1.5, cv2.GaussianBlur(large, (0, 0), 4), -0.5, 0)


def _gallery(portrait: np.ndarray) -> np.ndarray:
    """Hang the portrait on a wall: (1080, 1920, 3) uint8."""
    down, across = np.mgrid[0:1080, 0:1920].astype(np.float32)
    light = np.exp(-(((across - 960) / 620) ** 2) - ((down - 420) / 470) ** 2)  # one lamp on the picture
    wall = np.array([38, 62, 66], np.float32) + light[..., None] * np.array([98, 104, 92], np.float32)
    floor = np.array([70, 52, 38], np.float32) * (0.6 + 0.9 * light[..., None] + 0.05 * np.sin(down / 9)[..., None])
    room = np.where(down[..., None] > 900, floor, wall)
    room[880:900] = room[880:900] * 0.55 + 30  # skirting board
    shadow = np.zeros((1080, 1920), np.float32)
    cv2.rectangle(shadow, (650, 130), (1290, 770), 1.0, -1)
    room *= 1 - 0.5 * cv2.GaussianBlur(shadow, (0, 0), 22)[..., None]
    for edge, colour in ((320, (52, 38, 26)), (300, (92, 68, 44)), (290, (236, 230, 218))):  # frame, its lip, the mat
        cv2.rectangle(room, (960 - edge, 430 - edge), (960 + edge, 430 + edge), colour, -1)
    room[190:670, 720:1200] = cv2.resize(portrait, (480, 480), interpolation=cv2.INTER_AREA)
    return np.clip(room, 0, 255).astype(np.uint8)


def _orbit() -> np.ndarray:
    """Paint a planet's edge under stars: (900, 1600, 3) uint8."""
    noise = np.random.default_rng(1961)
    down, across = np.mgrid[0:900, 0:1600].astype(np.float32)
    height = np.hypot(across - 700, down - 2450) - 1900  # pixels above the surface
    clouds = np.zeros((900, 1600), np.float32)
    for octave in range(2, 8):
        grid = noise.normal(0, 1, (2 ** (octave + 1), 2**octave)).astype(np.float32)
        clouds += cv2.resize(grid, (1600, 900), interpolation=cv2.INTER_CUBIC) * 0.62**octave * 2
    clouds = np.clip(clouds + 0.05, 0, 1)[..., None]
    sea = np.array([12, 58, 116], np.float32) * (0.75 + np.clip(-height, 0, 400)[..., None] / 900)
    ground = sea * (1 - clouds) + np.array([214, 224, 232], np.float32) * clouds
    glow = np.exp(-np.clip(height, 0, None) / 26)[..., None] * np.array([120, 178, 255], np.float32)
    stars = np.zeros((900, 1600), np.float32)
    places = noise.integers(0, (900, 1600), (420, 2))
    stars[places[:, 0], places[:, 1]] = noise.uniform(90, 900, 420)
    sky = glow + cv2.GaussianBlur(stars, (0, 0), 0.9)[..., None] + np.array([4, 5, 12], np.float32)
    edge = 1 / (1 + np.exp(np.clip(height, -40, 40) / 1.6))[..., None]
    return np.clip(ground * edge + sky * (1 - edge), 0, 255).astype(np.uint8)


def _encode(path: Path, speed: float) -> None:
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "22", "preset": "veryfast"})
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = 2 * RATE  # a key frame every 2 s, so that a chunk of the film can start there
        stream.codec_context.time_base = Fraction(1, RATE)
        stream.codec_context.colorspace = stream.codec_context.color_primaries = stream.codec_context.color_trc = 1
        stream.codec_context.color_range = 1
        for k, picture in enumerate(pictures(speed)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
            frame.pts = k
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def main() -> None:
    """Write the demo film into the folder that the command line names."""
    parser = argparse.ArgumentParser(
        prog="python -m scenefer.demo", description="Write a short film to try scenefer on."
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path("demo"), help="for demo.mp4 and its sheet, demo.csv"
    )
    parser.add_argument(
        "--speed", type=float, default=1.0, help="times as fast, 0.5 to 2: another cut of the same film"
    )
    asked = parser.parse_args()
    if not SPEEDS[0] <= asked.speed <= SPEEDS[1]:
        parser.error(f"--speed must be between {SPEEDS[0]} and {SPEEDS[1]}, not {asked.speed}")
    try:
        write_demo(asked.folder, asked.speed)
    except OutputError as error:
        sys.exit(f"scenefer.demo: {error}")


if __name__ == "__main__":
    main()

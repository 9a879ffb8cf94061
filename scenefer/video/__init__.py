"""Films in, frames out: the only place that opens, decodes and converts pictures.

    probe(path)            properties of a film, a still or a folder of stills  probing.py, stills.py
      key_frames.py        where a film can be entered
    frames(film, span)     its frames, in order, ready for analysis             reading.py
      container.py         opens files and seeks to key frames
      sizes.py             the frame size of most of a film
      header_limits.py     checks what a header declares before ffmpeg uses it
      timeline.py          timestamps to film time, and which frames are samples
      repeated_frames.py   repeats long-lasting frames in films of variable frame rate
      colour.py            decoded frames to RGB as displayed: matrix, range, HDR, rotation, pixel aspect, interlacing
      hdr.py               PQ and HLG to standard range
      picture.py           the pixels of a sample, converted when they are asked for
      prefetch.py          decodes ahead in a thread, within bounds
      with_decord.py       the alternative reader

Frames carry only what one pass over a film needs: every frame a small picture; of samples, all pixels
are there for the asking.
"""

from __future__ import annotations

from scenefer.video.frame import Frame, ReaderNotes
from scenefer.video.picture import ArrayPicture
from scenefer.video.probing import probe
from scenefer.video.reading import frames

__all__ = ["ArrayPicture", "Frame", "ReaderNotes", "frames", "probe"]

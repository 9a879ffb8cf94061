"""Films in, frames out: the only place that opens, decodes and converts pictures.

    probe(path)            what a film, a still or a folder of stills is        probing.py, stills.py
    frames(film, span)     its frames, in order, ready to be looked at          reading.py
      container.py         opens files and enters them at key frames
      declared.py          what a header declares, before it is believed
      timeline.py          timestamps to film time, and which frames are samples
      held.py              pictures that last, in films of varying rate
      colour.py            decoded frames to RGB as displayed: matrix, range, HDR, rotation, shape of the pixels, fields
      hdr.py               PQ and HLG to standard range
      prefetch.py          decoding runs a bounded number of frames ahead
      with_decord.py       the second reader

Frames carry what a pass over a film needs and no more: every one a small picture, the sampled ones all their pixels.
"""

from __future__ import annotations

from scenefer.video.frame import Frame, ReaderNotes
from scenefer.video.probing import probe
from scenefer.video.reading import frames

__all__ = ["Frame", "ReaderNotes", "frames", "probe"]

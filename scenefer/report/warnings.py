"""Sentences that a run keeps in English, by their shape: what went wrong on the way, and what was done with the sheet.

They are written where they arise, long before it is known in which language somebody will read them.
"""

from __future__ import annotations

from scenefer.language import marked

SHAPES = (
    # video/frame.py
    marked("damaged: 1 place could not be decoded, the first at {time} ({reason})"),
    marked("damaged: {n} places could not be decoded, the first at {time} ({reason})"),
    marked("partly readable: the picture ends at {end}, although the file promises {promised}"),
    marked("{n} frames have no usable timestamp; their times were interpolated"),
    marked("the file's clock jumps {n} times, first at {time}; film time goes on without the jumps"),
    marked("the picture changes its size; {n} frames were scaled to the first one's"),
    marked(
        "the film changes the shape of its pixels at {time}; it is shown in that of its beginning, and faces after it "
        "may be too narrow or too wide"
    ),
    marked("{n} interlaced frames were deinterlaced"),
    marked("HDR ({kind}) was converted to standard range: white is 203 cd/m², what is brighter is compressed"),
    # video/probing.py
    marked("the film asks to be turned by {asked}°; it was turned by {turned}°"),
    marked("the film declares pixels of shape {shape}, which cannot be meant; they are taken for square"),
    # run.py
    marked("only a part was read, {start} to {end}: percentages and evidence are of it alone"),
    marked("pictures of faces are off (--no-crops): people are not told apart, since that needs the pictures"),
    # cast.py
    marked("cast: {picture} is no picture and was left out"),
    marked("cast: no face was found in {picture}"),
    # sheets.py, timelines/
    marked("{sheet}: the end of row {place}, {end}, was clipped to the film's, {duration}"),
    marked("{sheet}: the end of {place}, {end}, was clipped to the film's, {duration}"),
    marked("{sheet}: columns kept but not understood: {columns}"),
    marked("{sheet}: {time} was subtracted: the film's timecode is {timecode}"),
    marked("{sheet}: {time} was subtracted: that is where the timeline begins"),
    marked("{sheet}: {time} was subtracted: that is the hour in which it begins"),
    marked("{sheet}: it counts {counted} frames a second, the film has {rate}"),
    marked("{sheet}: left out, since others last: {n} of {all} markers, which have no length"),
    marked("{sheet}: locators that lie neither in the film nor in the source of their event: {n}"),
    marked("{sheet}: markers on clips played at another speed, which may lie elsewhere: {n}"),
)

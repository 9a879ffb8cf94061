"""Patterns of the English warnings that a run stores, about the film and its sheet, to translate them later.

Warnings are stored in English when they occur, long before the reader's language is known.
"""

from __future__ import annotations

from scenefer.core.language import marked

SHAPES = (
    # video/frame.py
    marked("damaged: 1 place could not be decoded, the first at {time} ({reason})"),
    marked("damaged: {n} places could not be decoded, the first at {time} ({reason})"),
    marked("partly readable: the picture ends at {end}, although the file promises {promised}"),
    marked("{n} frames have no usable timestamp; their times were interpolated"),
    marked("the file's clock jumps {n} times, first at {time}; film time goes on without the jumps"),
    marked("the picture changes its size; {n} frames were scaled to the first one's"),  # in runs of older versions
    marked("the picture changes its size; {n} frames were scaled to that of most of the film"),
    marked(
        "{n} samples, first at {time}, are far smaller than the film; no face was looked for in them, and their time "
        "counts as not decoded"
    ),
    marked(
        "the film changes the shape of its pixels at {time}; it is shown in that of its beginning, and faces after it "
        "may be too narrow or too wide"
    ),
    marked("{n} interlaced frames were deinterlaced"),
    marked("HDR ({kind}) was converted to standard range: white is 203 cd/m², what is brighter is compressed"),
    # video/probing.py
    marked("the film asks to be turned by {asked}°; it was turned by {turned}°"),
    marked("the film declares pixels of shape {shape}, which cannot be meant; they are taken for square"),
    # video/stills.py
    marked("only the first of its {n} pages is read"),
    marked("left out of the folder, for they are no pictures: {names}"),
    marked("only the first picture is read of {names}"),
    # pipeline/film_analysis.py
    marked("only a part was read, {start} to {end}: percentages and evidence are of it alone"),
    marked("pictures of faces are off (--no-crops): people are not told apart, since that needs the pictures"),
    # live/recording.py
    marked("read live, {rate} pictures a second: what lies between them was not looked at"),
    # pipeline/kept_judgements.py
    marked(
        "the sample of faces that was drawn to be judged is not kept, since other faces were found: scenefer validate "
        "draws one anew"
    ),
    marked(
        "what people judged of the sample of faces is not counted, since faces are read otherwise or scenes differ "
        "now: give the judgements to scenefer validate once more"
    ),
    marked("faces that were judged in the report are not counted as judged, since they are read otherwise now"),
    # pipeline/edited_runs.py
    marked("edits by hand are not applied, and lie in {file}: {why}"),
    # analysis/cast.py
    marked("cast: {picture} is no picture and was left out"),
    marked("cast: no face was found in {picture}"),
    # interchange/scene_lists.py, timelines/
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
    marked("{sheet}: of its {n} worksheets '{name}' was read"),
    marked("{sheet}: columns read as: {columns}"),
    marked("{sheet}: it is not UTF-8 (row {row}) and was read as Windows-1252; {remedy} if names look wrong"),
    marked("{sheet}: words of directors, which --words FILE replaces: {words}"),
    marked("{sheet}: read in brackets as what is intended: {words}"),
    marked("{sheet}: in brackets, and kept as a part of the name: {words}"),
    marked("{sheet}: column {name} is read as intended; name it otherwise if it says something else"),
    marked(
        "{sheet}: column {name} is not read as intended, since row {row} has {value}; name it intended if it "
        "says what each scene is meant to show"
    ),
    marked(
        "{sheet}: {time} was subtracted: the list has nothing before, and may count from there; if it counts "
        "from the film's first frame, say --timecode-start 00:00:00:00"
    ),
    marked("{sheet}: disabled, and left out: {what}"),
    marked("{sheet}: left out, since they lie outside what is seen of their clips: {n} markers"),
    marked("{sheet}: left out, since it lies outside what is seen of its clip: 1 marker"),
    marked("{sheet}: left out, since the timeline has markers of its own: {n} on clips"),
    marked("{sheet}: FCM says drop-frame, which does not exist at {rate} frames a second; it was passed over"),
    marked("{sheet}: left out, since they are shorter than a frame: {names}"),
)

"""The tables that stages exchange: columns, types and units.

In memory a table is a pandas DataFrame with its columns in the order below; on disk it is Parquet (zstd). A missing
value is null (NaN in a float column of a DataFrame, ``pd.NA`` in a nullable integer column). Empty means no rows.
"""

from __future__ import annotations

from typing import NamedTuple

SCHEMA_VERSION = 1

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
CLUSTERS = ("positive", "negative")  # of emotions; surprise and neutral belong to neither


class Column(NamedTuple):
    """A column of a table; ``type`` is float64, float32, int64, bool, str, bytes or floats; final ``?`` = nullable."""

    name: str
    type: str
    unit: str
    meaning: str


_BOX = tuple(
    Column(name, "float32", "px", f"{edge} edge of the face box, pixels of the film as displayed")
    for name, edge in (("x0", "left"), ("y0", "upper"), ("x1", "right"), ("y1", "lower"))
)
_PROBABILITIES = tuple(
    Column(emotion, "float32", "0..1", f"calibrated probability of {emotion}; the seven sum to 1")
    for emotion in EMOTIONS
)


def _of_each_class(prefix: str, meaning: str) -> tuple[Column, ...]:
    return tuple(
        Column(f"{prefix}_{label}", "float64?", "%", f"{meaning} {label}; null where it is none of the classes")
        for label in (*EMOTIONS, *CLUSTERS)
    )


def _with_interval(column: Column) -> tuple[Column, ...]:
    ends = (("low", "lower"), ("high", "upper"))
    return (
        column,
        *(
            column._replace(name=f"{column.name}_{end}", meaning=f"{word} end of its 95 % interval")
            for end, word in ends
        ),
    )


TABLES: dict[str, tuple[Column, ...]] = {
    "frames": (
        Column("time", "float64", "s", "film time of the frame"),
        Column(
            "cut_score",
            "float32?",
            "0..1",
            "how much the picture differs from the frame before; null where there is none",
        ),
        Column("luma", "float32", "0..255", "mean brightness"),
        Column("signature", "bytes", "", "the picture reduced to 16 x 9 luma values, rows from the top, one byte each"),
        Column("sampled", "bool", "", "faces were looked for in this frame"),
        Column(
            "palette", "bytes?", "", "colour histogram of a sampled frame, one byte a bin, 255 = all of the picture"
        ),
    ),
    "faces": (
        Column("face", "int64", "", "id: row number in order of time, then of confidence, falling"),
        Column("time", "float64", "s", "film time of the sampled frame"),
        *_BOX,
        Column("landmarks", "floats", "px", "x, y of left eye, right eye, nose, left and right mouth corner, as seen"),
        Column("confidence", "float32", "0..1", "the detector's score"),
        Column("sharpness", "float32", "", "variance of the Laplacian of the face at 48 px, grey 0..255"),
        Column(
            "yaw",
            "float32",
            "degrees",
            "turn of the head estimated from the landmarks, 0 = frontal, + = towards the picture's right",
        ),
        Column(
            "pitch",
            "float32?",
            "degrees",
            "nod of the head estimated from the landmarks, 0 = level, + = bowed; null in runs of before there was one",
        ),
        Column(
            "roll",
            "float32?",
            "degrees",
            "tilt of the head, 0 = level, + = clockwise; beyond 12 either way the crop is turned level; null in runs "
            "of before it was measured",
        ),
        Column(
            "mouth_open",
            "float32?",
            "",
            "gap between the inner lips as a share of their width; null without --dense, and of small or turned faces",
        ),
        Column("logits", "floats", "", "output of the expression network, one value a label of its heads"),
        Column("crop", "bytes?", "", "JPEG of the face with its surroundings; null where crops are off"),
    ),
    "logits": (
        Column("face", "int64", "", "row in the table faces"),
        Column("logits", "floats", "", "output of another expression network than the one in the table faces"),
    ),
    "pictures": (
        Column("time", "float64", "s", "film time of the picture"),
        Column("jpeg", "bytes", "", "the frame, 320 px wide"),
    ),
    "shots": (
        Column("shot", "int64", "", "id, from 0"),
        Column("start", "float64", "s", "first frame of the shot; the middle of a gradual transition"),
        Column("end", "float64", "s", "start of the next shot, or the end of the film"),
        Column("transition", "str", "", "how it begins: start, cut, dissolve, fade or wipe"),
        Column("transition_start", "float64?", "s", "begin of the gradual transition into this shot, null for a cut"),
        Column("transition_end", "float64?", "s", "end of the gradual transition into this shot, null for a cut"),
    ),
    "tracks": (
        Column("track", "int64", "", "id, from 0, in order of first appearance"),
        Column("shot", "int64", "", "the shot that holds the whole track"),
        Column("start", "float64", "s", "time of its first face"),
        Column("end", "float64", "s", "time of its last face"),
        Column("n_faces", "int64", "", "sampled faces in it"),
        Column(
            "actor", "int64?", "", "the person: from 0, in order of first appearance; null = unknown, or people are off"
        ),
        Column("actor_name", "str?", "", "the person's name, from a cast folder or given by hand; null = none"),
        Column(
            "actor_confidence",
            "float32?",
            "0..1",
            "how much nearer the track is to its person than to the next (silhouette); null = unknown, or nobody else",
        ),
        Column(
            "speaking",
            "float32?",
            "0..1",
            "share of its faces whose mouth moves as in speech, of those that tell; null where none does, or without "
            "--dense",
        ),
    ),
    "vectors": (
        Column("face", "int64", "", "row in the table faces"),
        Column("track", "int64", "", "row in the table tracks"),
        Column("vector", "floats", "", "what the identity network makes of the face; kept with --keep-identity alone"),
    ),
    "samples": (
        Column("time", "float64", "s", "film time of the sample; of the grid point where no frame was decoded"),
        Column("shot", "int64", "", "the shot that contains it"),
        Column("scene", "int64?", "", "the scene that contains it; null between the scenes of a list"),
        Column("weight", "float64", "s", "seconds that the sample stands for"),
        Column(
            "state", "str", "", "face, no face, rejected or not decoded; excluded, where a moment was excluded by hand"
        ),
        Column("why", "str?", "", "why its faces, or the sample itself, were rejected"),
        Column("n_faces", "int64", "", "faces found"),
        Column("n_usable", "int64", "", "faces that count"),
    ),
    "expressions": (
        Column("face", "int64", "", "row in the table faces"),
        Column("track", "int64", "", "row in the table tracks"),
        Column("time", "float64", "s", "film time of the sample"),
        Column("shot", "int64", "", "the shot that contains it"),
        Column("scene", "int64?", "", "the scene that contains it; null between the scenes of a list"),
        *_PROBABILITIES,
        Column("weight", "float64", "s", "seconds that this face stands for"),
        Column("usable", "bool", "", "counts towards the percentages"),
        Column("why", "str?", "", "why it does not"),
    ),
    "scenes": (
        Column("scene", "int64", "", "id, from 0"),
        Column("name", "str", "", "the sheet's word for it, or a number"),
        Column("start", "float64", "s", "begin of the scene"),
        Column("end", "float64", "s", "end of the scene, exclusive"),
        Column("first_shot", "int64", "", "the shot that contains its begin"),
        Column("last_shot", "int64", "", "the shot that contains its last moment"),
        Column("source", "str", "", "sheet, guessed or stills"),
    ),
    "scene_emotions": (
        Column("scene", "int64", "", "row in the table scenes"),
        Column(
            "view",
            "str",
            "",
            "screen_time: every face-second alike; equal_actor: every person alike, unknown ones together as one; "
            "equal_track: every track alike, where people are not told apart; own_baseline: screen_time with each "
            "person's calm face taken off, where the plan asks for it; character:NAME: one person of the cast",
        ),
        Column("emotion", "str", "", "one of the seven"),
        Column(
            "percent",
            "float64?",
            "%",
            "share of the detected expression; the seven sum to 100; null = too few faces",
        ),
        Column("low", "float64?", "%", "lower end of the 95 % interval"),
        Column("high", "float64?", "%", "upper end of the 95 % interval"),
        Column("evidence", "str", "", "enough, one take (a single track) or insufficient"),
        Column("coverage", "float64", "0..1", "share of the scene's sampled time with at least one usable face"),
        Column("face_seconds", "float64", "s", "sum over faces of the seconds that their usable samples stand for"),
        Column("n_tracks", "int64", "", "tracks with a usable face in the scene"),
        Column("n_shots", "int64", "", "shots with a usable face in the scene"),
        Column("n_actors", "int64?", "", "people with one, unknown ones together as one; null = not told apart"),
    ),
    "comparison": (
        Column("scene", "int64", "", "row in the table scenes"),
        Column("name", "str", "", "the sheet's word for the scene"),
        Column("character", "str?", "", "whom the intention is about; null = the scene as a whole"),
        Column("view", "str", "", "as in the table scene_emotions"),
        Column(
            "estimate",
            "str",
            "",
            "raw: means of calibrated probabilities; validated: corrected by judged faces, in place of the raw row; "
            "older runs may have rows named emq",
        ),
        Column("classes", "str", "", "seven or clustered; without neutral = the others' shares sum to 100"),
        Column("evidence", "str", "", "enough, one take (a single track) or insufficient"),
        Column("coverage", "float64", "0..1", "share of the scene's sampled time with at least one usable face"),
        Column("n_tracks", "int64", "", "tracks with a usable face in the scene"),
        Column("n_shots", "int64", "", "shots with a usable face in the scene"),
        Column("intended", "str?", "", "what the sheet says: an emotion or a mixture; null = nothing"),
        Column("label", "str?", "", "the class that has the largest part of the intention; null = none, or a tie"),
        Column("detected", "str?", "", "the class with the largest detected share; null = none, or a tie"),
        Column("verdict", "str?", "", "match, partial or mismatch; null = not judged"),
        Column("why", "str?", "", "why it is not judged"),
        Column(
            "within",
            "str?",
            "",
            "what the intervals speak of: shots, people, or one take (fewer than three of them); tracks, where "
            "corrected shares rest on fewer than three shots",
        ),
        *_with_interval(Column("mass", "float64?", "%", "detected share of what was intended, all parts of a mixture")),
        Column("rank", "int64?", "", "place of the label among the detected shares, 1 = largest"),
        Column("top1", "bool?", "", "the label ranks first"),
        Column("top2", "bool?", "", "the label ranks first or second"),
        *_with_interval(Column("lead", "float64?", "%", "the label's detected share less the largest other one")),
        *_with_interval(
            Column("js", "float64?", "0..1", "Jensen-Shannon distance, base 2; the interval less its bias")
        ),
        *_with_interval(
            Column("tv", "float64?", "0..1", "total variation: mass misplaced; the interval less its bias")
        ),
        Column("brier", "float64?", "0..2", "squared distance of the shares"),
        Column(
            "log_score", "float64?", "bits", "surprise at the intention under the detected shares; 1e-6 uniform added"
        ),
        *_of_each_class("intended", "intended share of"),
        *_of_each_class("detected", "detected share of"),
        *_of_each_class("low", "lower end of the 95 % interval of the detected share of"),
        *_of_each_class("high", "upper end of the 95 % interval of the detected share of"),
    ),
    "validation_sample": (
        Column("face", "int64", "", "row in the table faces; all that are usable"),
        Column("time", "float64", "s", "film time of the face"),
        Column("stratum", "int64", "", "what it was drawn from: faces of one scene, read alike; small ones together"),
        Column("probability", "float64", "0..1", "of being drawn for people to judge"),
        Column("place", "int64?", "", "where it is shown, from 0, in random order; null = not drawn"),
    ),
    "validated": (
        Column("scene", "int64?", "", "row in the table scenes; null = the film"),
        Column(
            "estimate",
            "str",
            "",
            "raw: as in scene_emotions, by screen time; coded: from the judged faces alone; validated: raw, corrected "
            "by them (prediction-powered inference)",
        ),
        Column("emotion", "str", "", "one of the seven"),
        *_with_interval(Column("percent", "float64?", "%", "share; those of coded and validated sum to 100 nearly")),
        Column("tuning", "float64?", "0..1", "how much the reader counts in validated; null in raw and coded"),
        Column("n_coded", "int64", "", "faces that were judged"),
        Column("n_units", "int64", "", "shots or tracks that hold them"),
        Column("within", "str?", "", "what the interval speaks of: shots, or tracks; null in raw"),
    ),
    "failures": (
        Column("film", "str", "", "path of the film, as it was given; control characters escaped"),
        Column("id", "str?", "", "id of its content; null where it cannot be read"),
        Column("state", "str", "", "failed, or partial: reported, but not all of it could be read"),
        Column("stage", "str", "", "look, sheet, observe, analyse or write"),
        Column("time", "float64?", "s", "film time up to which it was read; null where that says nothing"),
        Column("error", "str", "", "what is wrong, and where"),
        Column("remedy", "str", "", "what to do about it"),
        Column("permanent", "bool", "", "its bytes are at fault: it is not tried again until they or read_by change"),
        Column("read_by", "str", "", "the reader and its version"),
        Column("when", "str", "", "when that was found, UTC, ISO 8601"),
    ),
    "differences": (
        Column("scene", "int64", "", "row in the table scenes"),
        Column("other_scene", "int64", "", "row in the other run's table scenes"),
        Column("name", "str", "", "the scene's name in this run"),
        Column("view", "str", "", "as in the table scene_emotions"),
        Column("evidence", "str", "", "the thinner of both: enough, one take or insufficient"),
        Column(
            "within",
            "str?",
            "",
            "what the intervals speak of: shots, people, or one take (fewer than three of them)",
        ),
        *_with_interval(
            Column("js", "float64?", "0..1", "Jensen-Shannon distance of both; the interval less its bias")
        ),
        *_with_interval(Column("tv", "float64?", "0..1", "total variation of both; the interval less its bias")),
        Column("emotion", "str", "", "one of the seven"),
        Column("percent", "float64?", "%", "detected share"),
        Column("other_percent", "float64?", "%", "the other run's detected share"),
        *_with_interval(Column("difference", "float64?", "%", "the other's share less this one's")),
    ),
    "takes": (
        Column("scene", "int64", "", "row in the first run's table scenes"),
        Column("name", "str", "", "the scene's name in the first run"),
        Column("character", "str?", "", "whom the intention is about; null = the scene as a whole"),
        Column("intended", "str", "", "an emotion or a mixture"),
        Column("run", "int64", "", "place among the runs that are compared, from 0"),
        Column("evidence", "str", "", "enough, one take (a single track) or insufficient"),
        Column("within", "str?", "", "what the intervals speak of: shots, or one take (fewer than three of them)"),
        *_with_interval(
            Column("js", "float64?", "0..1", "Jensen-Shannon distance to the intention; the interval less its bias")
        ),
        *_with_interval(
            Column("behind", "float64?", "0..1", "that distance less the nearest run's; null for the nearest itself")
        ),
        Column(
            "standing",
            "str?",
            "",
            "nearest; as near (the interval of behind contains 0); farther; alone (no other has enough evidence); null "
            "= too few faces",
        ),
    ),
    "films": (
        Column("film", "str", "", "id: 16 hexadecimal digits of the film's content"),
        Column("name", "str", "", "name of the file"),
        Column("path", "str", "", "where it lay when it was analysed; control characters escaped"),
        Column("folder", "str", "", "its run, a folder beside the library"),
        Column("record", "str", "", "size and time of the run's run.json: as long as they stay, the run is not read"),
        Column("state", "str", "", "done, or partial: some of the film could not be read"),
        Column("why", "str?", "", "what a reader of the report is warned of, a line each"),
        Column("made", "str", "", "when it was analysed, ISO 8601"),
        Column("duration", "float64", "s", "of what was read, from the first shot to the last"),
        Column("width", "int64", "px", "as displayed"),
        Column("height", "int64", "px", "as displayed"),
        Column("n_scenes", "int64", "", "scenes"),
        Column("n_shots", "int64", "", "shots"),
        Column("n_tracks", "int64", "", "tracks"),
        Column("n_faces", "int64", "", "faces found"),
        Column("coverage", "float64", "0..1", "share of the sampled time with at least one usable face"),
        *(
            Column(
                emotion, "float64?", "%", f"share of {emotion} over the film, by screen time; null = no scene has any"
            )
            for emotion in EMOTIONS
        ),
        Column("n_judged", "int64", "", "intentions that could be judged, 0 where the film has none"),
        Column("n_match", "int64", "", "of them, as intended"),
        Column("n_corrected", "int64", "", "of them, by shares that judged faces have corrected"),
        Column("largest_gap", "float64?", "0..1", "largest Jensen-Shannon distance of what is not as intended"),
        Column("gaps", "str", "", "JSON: the largest gaps, each with scene, name, verdict, sentence and figures"),
        Column("verdicts", "str", "", "JSON: begin and end (s of what was read) and verdict of every scene judged"),
        Column(
            "arc",
            "bytes",
            "",
            "the seven shares, one byte each, of up to 64 pieces of what was read, 255 = all its time",
        ),
    ),
}


def names(table: str) -> list[str]:
    """Return the names of a table's columns, in their order."""
    return [column.name for column in TABLES[table]]

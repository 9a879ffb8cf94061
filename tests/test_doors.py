"""What can be added from outside is: a toy of each kind, through the entry points of a package that knows scenefer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import scenefer
from scenefer.analysis.observation import ObservationSettings
from scenefer.core.errors import PlanError, SceneferError, SheetError, WeightsError
from scenefer.core.film import Film
from scenefer.core.registry import Registry
from scenefer.interchange.export import FORMATS, format_of
from scenefer.interchange.list_formats import LISTS
from scenefer.interchange.scene_lists import read_sheet
from scenefer.models import registry
from scenefer.models.expression import predictor
from scenefer.models.expression.network import NETWORKS, ExpressionNetwork
from scenefer.models.known_weights import DETECTORS, IDENTITY
from scenefer.models.selftest import PORTRAIT
from scenefer.pipeline.executors import EXECUTORS
from scenefer.pipeline.plans import make_plan
from scenefer.training import recipes
from tests.program import complaints, make_film
from tests.program import scenefer as program

ENTRY_POINTS = """
[scenefer.detectors]
toy = toy_doors:DETECTOR
[scenefer.identities]
toy = toy_doors:IDENTITY
[scenefer.expression_networks]
toy = toy_doors:Surprised
[scenefer.executors]
toy = toy_doors:EXECUTOR
missing = toy_doors:NO_SUCH
wrong = toy_doors:DETECTOR
[scenefer.export_formats]
.toy = toy_doors:EXPORT
[scenefer.scene_lists]
toy = toy_doors:LIST
"""
MODULE = """
import hashlib
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

from scenefer.interchange.export import ExportFormat
from scenefer.interchange.list_formats import ListFormat
from scenefer.interchange.timelines import Mark, Timeline
from scenefer.models import Detections
from scenefer.models.selftest import PORTRAIT
from scenefer.models.expression.network import ExpressionNetwork
from scenefer.models.weight_record import WeightsRecord
from scenefer.pipeline.executors import ExecutorKind
from scenefer.pipeline.executors.serial import serial

HERE = Path(__file__).parent
FILE = "toy_weights.bin"


def record(kind, load):
    sha256 = hashlib.sha256((HERE / FILE).read_bytes()).hexdigest()
    return WeightsRecord("toy", kind, "toy", FILE, sha256, 3, "CC0", "a test", "nothing", load=load, shipped_in=HERE)


class InTheMiddle:
    name = "toy"

    def detect(self, pictures):
        height, width = pictures[0].shape[:2]
        x, y = width / 2, height / 2
        box = np.array([[x - 40, y - 40, x + 40, y + 40]], np.float32)
        eyes_nose_mouth = np.array([[[x - 15, y - 10], [x + 15, y - 10], [x, y], [x - 12, y + 20], [x + 12, y + 20]]])
        return [Detections(box, eyes_nose_mouth.astype(np.float32), np.ones(1, np.float32)) for _ in pictures]


def load_detector(path, *, smallest_face, device, pyramid):
    assert path.name == FILE
    return InTheMiddle()


class OnePerson:
    sha256 = "1" * 64

    def vectors(self, crops, landmarks):
        return np.zeros((len(crops), 2), np.float32)


def load_identity(path, device, *, threads):
    return OnePerson()


class Surprised(ExpressionNetwork):
    size = side = 32

    def __init__(self, n_labels, dropout=0.0):
        super().__init__()
        self.logits = torch.nn.Parameter(torch.zeros(n_labels))

    def forward(self, grey):
        return self.logits.expand(len(grey), -1)


def counted(work, jobs, workers, progress):
    for outcome in serial(work, jobs, workers, progress):
        with (HERE / "jobs.txt").open("a") as log:
            log.write(f"{outcome.job.path}\\n")
        yield outcome


def export(analysis, compared, rejected):
    shares = analysis.expressions["surprise"].mean()
    return f"{len(analysis.faces)} faces, surprise {shares:.3f}\\n".encode(), "one line"


def read_list(text, rate):
    marks = []
    for line in text.splitlines()[1:]:
        start, end, name = line.split(" ", 2)
        marks.append(Mark(name, Fraction(start), Fraction(end)))
    return Timeline(marks, [], rate=rate, counts_frames=False)


DETECTOR = record("detector", load_detector)
IDENTITY = record("identity", "toy_doors:load_identity")
EXECUTOR = ExecutorKind(lambda settings: counted)
EXPORT = ExportFormat(export)
LIST = ListFormat("lists of toys", read_list, lambda text: text.startswith("TOY SCENES"), (".toys",))
"""
HEADS = {"heads": '{"fer2013": [0, 7]}', "reading": '{"fer2013": 1}', "temperature": "1.0"}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an installed package of somebody else, a film, a list of its scenes and weights of a network."""
    place = tmp_path_factory.mktemp("doors")
    (place / "toy_doors.py").write_text(MODULE)
    (place / "toy_weights.bin").write_bytes(b"toy")
    info = place / "toy_doors-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-doors\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    make_film(place / "film.mkv", 12)
    (place / "scenes.txt").write_text("TOY SCENES\n0 5 calm [neutral]\n5 12 jump [surprise]\n")
    logits = torch.tensor([0.0, 0.0, 0.0, 0.0, 0.0, 3.0, 0.0])
    save_file({"logits": logits}, place / "surprised.safetensors", {"architecture": "toy", **HEADS})
    (place / "plan.toml").write_text('[run]\nexecutor = "toy"\nworkers = 2\nlongest_chunk = 5\n')
    return place


def run(package: Path, *arguments: str) -> list[str]:
    """Run the program where the package is installed; return what it complains of."""
    done = program(*arguments, cwd=package, PYTHONPATH=str(package))
    lines = complaints(done)
    assert (done.returncode == 0) == (not lines), lines
    return lines


def test_a_toy_of_each_kind_does_its_work_in_one_run(package: Path):
    toys = ("--detector", "toy", "--identity", "toy", "--weights", "surprised.safetensors", "--scenes", "scenes.txt")
    done = program(
        "analyze", "film.mkv", "--profile", "fast", "--plan", "plan.toml", *toys, cwd=package, PYTHONPATH=str(package)
    )
    assert done.returncode == 0, done.stderr
    analysis = scenefer.load(package / "reports" / "film")
    used = analysis.run["weights"]
    assert [used[kind]["name"] for kind in ("detector", "identity")] == ["toy", "toy"]
    assert used["expression"]["architecture"] == "toy"
    assert len(analysis.faces) == len(analysis.samples) > 0, "a face in the middle of every sample"
    assert analysis.expressions["surprise"].to_numpy() == pytest.approx(np.exp(3) / (np.exp(3) + 6), abs=1e-5)
    assert analysis.scenes["name"].tolist() == ["calm", "jump"]
    assert analysis.comparison["intended"].tolist()[-1] == "surprise"
    assert len((package / "jobs.txt").read_text().splitlines()) >= 2, "its executor did the chunks"
    assert not run(package, "export", "reports/film", "--to", "told.toy")
    assert (package / "told.toy").read_text() == f"{len(analysis.faces)} faces, surprise 0.770\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("analyze", "film.mkv", "--detector", "tot"), "known: haar, mtcnn, toy, yunet; did you mean 'toy'?"),
        (("analyze", "film.mkv", "--identity", "tot"), "known: face_identity, facenet, toy; did you mean 'toy'?"),
        (
            ("export", "reports/film", "--to", "told.tot"),
            "known: .csv, .edl, .fcpxml, .json, .otio, .srt, .toy, .xlsx, .xml, films.csv, scenes.csv; did",
        ),
        (("batch", "film.mkv", "--executor", "tot"), "known: missing, processes, ray, serial, toy, wrong; did you"),
        (("batch", "film.mkv", "--executor", "missing"), "of the package toy-doors cannot be imported (AttributeError"),
        (("batch", "film.mkv", "--executor", "wrong"), "toy_doors:DETECTOR is no ExecutorKind"),
        (("analyze", "film.mkv", "--scenes", "plan.toml"), "lists that are read: CSV or .xlsx"),
    ],
)
def test_an_unknown_name_is_refused_with_those_of_the_package_among_the_known(
    package: Path, arguments: tuple[str, ...], said: str
):
    (line,) = run(package, *arguments)
    assert said in line


def test_the_lists_that_are_read_name_the_packages_too(package: Path):
    (line,) = run(package, "analyze", "film.mkv", "--scenes", "plan.toml")
    assert "markers of Avid (text), lists of toys" in line


def _toml(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


FILM = Film(Path("film.mp4"), "0" * 16, 1280, 720, 12.0, Fraction(25))


@pytest.mark.parametrize(
    ("ask", "error", "said"),
    [
        (lambda place: registry.load_detector("x", smallest_face=24), WeightsError, "known: haar, mtcnn, yunet"),
        (lambda place: ObservationSettings(detector="x"), PlanError, "known: haar, mtcnn, yunet"),
        (lambda place: registry.load_identity("x"), WeightsError, "known: face_identity, facenet"),
        (
            lambda place: predictor.load(odd(place)),
            WeightsError,
            "resnet50_v2, rmn, rmn_compact, rmn_face, rmn_lite, rmn_pair, vgg16",
        ),
        (
            lambda place: recipes.read_recipe(_toml(place / "r.toml", 'network = "x"')),
            PlanError,
            "r.toml: unknown network 'x'; known: cbam_resnet34, cnn_small, ",
        ),
        (lambda place: make_plan(options={"run.executor": "x"}), PlanError, "known: processes, ray, serial"),
        (
            lambda place: format_of(place / "a.x"),
            PlanError,
            "known: .csv, .edl, .fcpxml, .json, .otio, .srt, .xlsx, .xml",
        ),
        (lambda place: read_sheet(_toml(place / "a.x", "x"), FILM), SheetError, "EDL, markers of Avid"),
        (lambda place: LISTS.find("x"), SheetError, "known: avid, edl, otio, xml"),
    ],
)
def test_an_unknown_name_is_an_error_of_its_kind_that_lists_the_known_ones(
    tmp_path: Path, ask: Callable[[Path], Any], error: type[SceneferError], said: str
):
    with pytest.raises(error) as raised:
        ask(tmp_path)
    assert said in str(raised.value)


def odd(place: Path) -> Path:
    save_file({"w": torch.zeros(1)}, place / "odd.safetensors", {"architecture": "x", **HEADS})
    return place / "odd.safetensors"


class Dark(ExpressionNetwork):
    """Sad where the face is dark, happy where it is bright."""

    size = 16
    side = 16

    def __init__(self, n_labels: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(1))

    def forward(self, grey: torch.Tensor) -> torch.Tensor:
        brightness = (grey.mean(dim=(1, 2, 3)) - 128) * self.scale
        logits = torch.zeros(len(grey), 7)
        logits[:, 3], logits[:, 4] = brightness, -brightness
        return logits


@pytest.fixture
def dark() -> Iterator[None]:
    """The same by a line of Python, for this test."""
    NETWORKS.add("dark", Dark)
    yield
    del NETWORKS["dark"]


def test_a_network_added_in_a_script_reads_pictures_by_the_api(dark: None, tmp_path: Path):
    weights = tmp_path / "dark.safetensors"
    save_file({"scale": torch.ones(1)}, weights, {"architecture": "dark", **HEADS})
    picture = np.asarray(Image.open(PORTRAIT).convert("RGB"))
    views = [(picture * 0.3).astype(np.uint8), 255 - (255 - picture) // 2]
    assert scenefer.read_faces(views, weights)["expression"].tolist() == ["sad", "happy"]


@pytest.mark.parametrize("kind", [DETECTORS, IDENTITY, NETWORKS, EXECUTORS, FORMATS, LISTS])
def test_a_name_is_added_once(kind: Registry[Any]):
    with pytest.raises(ValueError, match="already"):
        kind.add(next(iter(kind)), None)

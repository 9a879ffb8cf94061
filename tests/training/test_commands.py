"""The commands on networks, as they are called."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from safetensors.numpy import load_file, save_file
from typer.testing import CliRunner, Result

import scenefer
from scenefer.analysis import result
from scenefer.cli import app
from scenefer.core.errors import SceneferError
from scenefer.core.schema import EMOTIONS
from scenefer.models import known_weights, registry, weight_files
from scenefer.pipeline import film_analysis
from tests.clips import moving, write_clip

PORTRAIT = Path(scenefer.__file__).parent / "assets" / "portrait.jpg"


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=True)


def done(*arguments: str | Path) -> str:
    """Call a command that must succeed; what it printed on stdout."""
    result = call(*arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def refused(*arguments: str | Path) -> str:
    """Call a command that must fail with one of our errors; its message."""
    result = call(*arguments)
    assert isinstance(result.exception, SceneferError), (result.output, result.exception)
    return str(result.exception)


def size_of(picture: Path) -> tuple[int, int]:
    with Image.open(picture) as opened:
        return opened.size


@pytest.fixture(scope="module")
def portrait_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("portrait")
    film_analysis.write(scenefer.analyze(PORTRAIT, data=folder / "data"), folder / "run")
    return folder / "run"


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SCENEFER_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path / "weights"


@pytest.fixture
def contrary(tmp_path: Path) -> Path:
    """The shipped weights, but for angry and happy, which are exchanged."""
    shipped = known_weights.EXPRESSION["rmn_face"].path
    weights = load_file(shipped)
    order = [EMOTIONS.index("happy") if name == "angry" else EMOTIONS.index(name) for name in EMOTIONS]
    order[EMOTIONS.index("happy")] = EMOTIONS.index("angry")
    changed = 0
    for key, values in weights.items():
        if values.shape[:1] == (15,):
            weights[key] = np.ascontiguousarray(values[[*order, *(7 + row for row in order), 14]])
            changed += 1
    assert changed == 2  # matrix and bias of the last layer, each with both heads
    path = tmp_path / "contrary.safetensors"
    save_file(weights, path, registry.describe(shipped))
    return path


def test_other_weights_read_the_stored_faces_of_a_run(portrait_run: Path, contrary: Path, own_folder: Path):
    before = result.load(portrait_run)
    assert before.expressions["happy"].iloc[0] > 0.5
    again = shutil.copytree(portrait_run, portrait_run.with_name("again"))
    done("reclassify", again, "--weights", contrary)
    after = result.load(again)
    assert after.expressions["angry"].iloc[0] == pytest.approx(before.expressions["happy"].iloc[0], abs=0.02)
    assert after.run["weights"]["expression"]["sha256"] == weight_files.sha256_of(contrary)
    assert "contrary" in (again / "report.html").read_text(encoding="utf-8")
    done("reclassify", again)
    back = result.load(again)
    np.testing.assert_allclose(back.expressions[list(EMOTIONS)], before.expressions[list(EMOTIONS)], atol=0.02)


def test_a_run_without_pictures_of_faces_cannot_be_read_again(tmp_path: Path):
    plan = scenefer.make_plan(options={"observation.crops": False})
    film_analysis.write(scenefer.analyze(PORTRAIT, plan, data=tmp_path / "data"), tmp_path / "run")
    assert "keeps no pictures of faces" in refused("reclassify", tmp_path / "run")
    assert "pictures of faces were not kept" in refused("explain", tmp_path / "run")


def test_an_added_weight_file_is_known_by_its_name(portrait_run: Path, contrary: Path, own_folder: Path):
    assert Path(done("weights", "add", contrary, "--name", "mine").strip()) == own_folder / "added" / "mine.safetensors"
    assert registry.find_expression("mine").read_bytes() == contrary.read_bytes()
    assert "mine" in done("weights", "list")
    assert "taken" in refused("weights", "add", contrary, "--name", "mtcnn")
    assert "taken" in refused("weights", "add", contrary, "--name", "../mine")
    assert "did you mean 'mine'" in refused("reclassify", portrait_run, "--weights", "mime")


def test_a_damaged_weight_file_is_not_added(tmp_path: Path, own_folder: Path):
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(b"no weights")
    assert "no safetensors file" in refused("weights", "add", damaged)
    assert not own_folder.exists()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        pytest.param("reading", None, "its metadata lack reading", id="no reading"),
        pytest.param("reading", '{"other": 1}', "describes itself in a way that cannot be read", id="an absent head"),
        pytest.param("reading", '{"fer2013": 0.7, "ferplus": 0.7}', "do not sum to 1", id="shares"),
        pytest.param("expressive", '{"other": 1}', "describes itself in a way that cannot be read", id="an absent six"),
        pytest.param("expressive", '{"fer2013": 0.4}', "do not sum to 1", id="shares of the six"),
        pytest.param("heads", "nojson", "describes itself in a way that cannot be read", id="heads that are no JSON"),
        pytest.param("heads", '{"fer2013": [0, 5], "ferplus": [7, 15]}', "of seven labels each", id="five labels"),
        pytest.param("temperature", "0", "temperature 0 or sides", id="temperature"),
        pytest.param("side", "0", r"sides \[0, 48, 48\]", id="side"),
        pytest.param("size", "5000", r"sides \[112, 48, 5000\]", id="a size that no face is cut at"),
        pytest.param("size", "large", "cannot be read: .*size 'large'", id="a size that is no number"),
        pytest.param("public", "1", "public 1 is no share of PublicTest", id="all of PublicTest learned"),
        pytest.param("public", "most", "cannot be read: .*public 'most'", id="a share that is no number"),
    ],
)
def test_weights_that_do_not_say_how_they_are_read_are_refused(
    contrary: Path, tmp_path: Path, own_folder: Path, field: str, value: str | None, said: str
):
    described = registry.describe(contrary) | ({} if value is None else {field: value})
    if value is None:
        del described[field]
    odd = tmp_path / "odd.safetensors"
    save_file(load_file(contrary), odd, described)
    assert re.search(said, refused("weights", "add", odd))
    assert not own_folder.exists()
    (own_folder / "added").mkdir(parents=True)
    shutil.copy(odd, own_folder / "added")
    shutil.copy(contrary, own_folder / "added")
    listed = done("weights", "list")
    assert re.search(said, listed), "a bad file is named"
    assert "contrary" in listed, "and does not hide the others"


def test_what_cannot_be_explained_or_written_is_refused_in_a_line(tmp_path: Path):
    film = tmp_path / "film.mp4"
    write_clip(film, moving(10))
    assert "is a film; analyse it" in refused("explain", film)
    assert call("explain", PORTRAIT, "--face", "-1").exit_code == 2
    assert "cannot be written" in refused("explain", PORTRAIT, "--to", film / "x.png")
    (tmp_path / "folder").mkdir()
    assert "cannot be written" in refused("explain", PORTRAIT, "--to", tmp_path / "folder")


def test_a_face_of_a_picture_and_of_a_run_is_explained(portrait_run: Path, tmp_path: Path):
    for number, source in enumerate((PORTRAIT, portrait_run)):
        drawn = tmp_path / f"{number}.png"
        assert done("explain", source, "--to", drawn).startswith("happy: ")
        assert size_of(drawn) == (192 * 6 + 32, 192 + 136), "six pictures within margins, a heading and a key"
    assert "count from 0" in refused("explain", PORTRAIT, "--face", "7")
    assert "numbered 0 to 0" in refused("explain", portrait_run, "--face", "7")


def test_evaluation_prints_one_object_and_draws_what_it_found(tmp_path: Path):
    for emotion in ("happy", "sad"):
        (tmp_path / "stills" / emotion).mkdir(parents=True)
    shutil.copy(PORTRAIT, tmp_path / "stills" / "happy")
    Image.new("RGB", (320, 320), "grey").save(tmp_path / "stills" / "sad" / "nobody.png")
    (tmp_path / "stills" / "sad" / "broken.png").write_bytes(b"no picture")
    result = call("evaluate", "rmn_face", "--data", tmp_path / "stills", "--to", tmp_path / "drawn", "--json")
    assert "stills all: 2 pictures" in result.stderr
    assert "1 broken" in result.stderr
    found = json.loads(result.stdout)
    assert (found["n"], found["n_missed"], found["accuracy"]) == (2, 1, 0.5)
    assert found["low"] < 0.5 < found["high"]
    assert "reliability" in (tmp_path / "drawn" / "evaluation.html").read_text(encoding="utf-8").lower()
    assert size_of(tmp_path / "drawn" / "confusion.png")[0] > 400


def test_training_leaves_weights_that_evaluation_reads(tmp_path: Path, fer: Path):
    recipe = tmp_path / "tiny.toml"
    recipe.write_text('network = "rmn_compact"\ntrunk = ""\nepochs = 1\nbatch = 14\nsides = [[0, 48]]\n')
    data = ("--data", fer / "fer2013.csv", "--votes", fer / "fer2013new.csv")
    trained = call("train", recipe, *data, "--out", tmp_path / "run", "--device", "cpu")
    assert str(tmp_path / "run" / "best.safetensors") in trained.stdout
    row = pd.read_parquet(tmp_path / "run" / "metrics.parquet").iloc[0]
    reached = f"loss {row.loss:.3f}, PublicTest {row.public_fer2013:.1%}, FER+ head {row.public_ferplus:.1%}"
    assert f"tiny: epoch 1 of 1: {reached} of clear majorities" in trained.stderr
    assert f"curves: {tmp_path / 'run' / 'curves.html'}" in trained.stdout
    found = json.loads(
        done("evaluate", tmp_path / "run" / "best.safetensors", *data, "--split", "PublicTest", "--json")
    )
    assert found["n"] == 14
    seeds = tmp_path / "seeds.toml"
    seeds.write_text(recipe.read_text() + "seeds = 2\n")
    drawn = re.findall(r"curves: (.*)", done("train", seeds, *data, "--out", tmp_path / "seeds", "--device", "cpu"))
    assert drawn == [str(tmp_path / "seeds" / name / "curves.html") for name in ("seed_0", "seed_1")]
    assert "smoke" in refused("train", "smok", *data)
    assert "weights" not in done("train", recipe, *data, "--out", tmp_path / "other", "--last-epoch", "0")
    assert "unknown device 'gpu'" in refused("train", recipe, *data, "--out", tmp_path / "other", "--device", "gpu")
    missing = refused("train", recipe, "--data", tmp_path / "fer2013.csv")
    assert "kaggle" in missing, "it says where FER2013 is to be had"
    (tmp_path / "file").write_text("no folder")
    read = (tmp_path / "run" / "best.safetensors", *data, "--split", "PublicTest")
    assert "cannot be written" in refused("evaluate", *read, "--to", tmp_path / "file")

"""What is read executes nothing, what is written stays in its folders, and names are only names: see SECURITY.md."""

from __future__ import annotations

import ast
import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import scenefer
from scenefer.core.errors import WeightsError
from scenefer.models import registry
from scenefer.models.expression import rmn
from tests.clips import plain, write_clip

PACKAGE = Path(scenefer.__file__).parent
SOURCES = sorted([*PACKAGE.rglob("*.py"), *(PACKAGE.parent / "benchmarks").rglob("*.py")])
LOADERS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "torch", "np", "numpy", "yaml"}
FORBIDDEN = {
    "eval",
    "exec",
    "os.system",
    "os.popen",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
    "pd.read_pickle",
    "pandas.read_pickle",
    "torch.hub.load",
}


def dangers(source: str) -> Iterator[str]:
    """Yield the calls of a source that load what may execute, or that ask a shell."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        module, _, function = name.rpartition(".")
        if name in FORBIDDEN or given.get("shell", "False") != "False" or given.get("allow_pickle", "False") != "False":
            yield ast.unparse(node)
        elif module in LOADERS and function in ("load", "loads", "Unpickler", "open", "full_load", "unsafe_load"):
            harmless = (module == "torch" and given.get("weights_only") == "True") or name in ("np.load", "numpy.load")
            if not harmless:
                yield ast.unparse(node)


@pytest.mark.parametrize(
    "source",
    [
        "pickle.load(file)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "joblib.load(path)",
        "os.system(f'ffmpeg {path}')",
        "subprocess.run(command, shell=True)",
        "eval(text)",
        "yaml.load(file)",
    ],
)
def test_a_danger_is_seen(source: str):
    assert list(dangers(source)) == [source]


@pytest.mark.parametrize(
    "source",
    ["torch.load(path, weights_only=True)", "json.load(file)", "np.load(path)", "network.eval()", "re.compile(text)"],
)
def test_what_is_harmless_is_let_pass(source: str):
    assert list(dangers(source)) == []


def test_no_source_loads_what_may_execute_or_asks_a_shell():
    found = {path.name: calls for path in SOURCES if (calls := list(dangers(path.read_text("utf-8"))))}
    assert len(SOURCES) > 80
    assert found == {}


class Malice:
    """Executes when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.mark),)


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[Path]:
    """A folder that exists once something has executed."""
    yield tmp_path / "executed"
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("form", ["torch", "old torch", "pickle"])
@pytest.mark.parametrize("suffix", [".pt", ".pth", ".safetensors", ".ckpt"])
def test_a_malicious_checkpoint_is_refused_and_executes_nothing(
    tmp_path: Path, mark: Path, monkeypatch: pytest.MonkeyPatch, form: str, suffix: str
):
    monkeypatch.setenv("SCENEFER_WEIGHTS", str(tmp_path / "weights"))
    path = tmp_path / f"weights{suffix}"
    content = {"net": {"layer": torch.zeros(2)}, "more": Malice(mark)}
    if form == "pickle":
        path.write_bytes(pickle.dumps(content, protocol=2))  # others are refused with a warning more
    else:
        torch.save(content, path, _use_new_zipfile_serialization=form == "torch")
    with pytest.raises(WeightsError):
        registry.describe(registry.find_expression(str(path)))
    for read in (rmn.read_checkpoint, lambda path: rmn.start_from(rmn.Rmn(), path)):
        with pytest.raises(WeightsError, match="cannot be read as a checkpoint of tensors"):
            read(path)
    assert not mark.exists()


def test_the_malice_of_these_tests_is_real(tmp_path: Path):
    pickle.loads(pickle.dumps(Malice(tmp_path / "executed")))
    assert (tmp_path / "executed").is_dir()


NAME = "film $(mkdir pwned); `mkdir pwned` & \x1b]0;pwned\x07\x1b[31m'\"\n..mp4"
# Notes whatever Python opens for writing, makes, renames or removes; native code is seen by comparing folders.
WATCHED = """
import os, sys
written = set()
def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        mode, flags = arguments[1], arguments[2]
        if (isinstance(mode, str) and set(mode) & set("wax+")) or flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            written.add(os.path.abspath(os.fsdecode(arguments[0])))
    elif event in ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "shutil.rmtree"):
        # A tree is removed by names within folders that are open.
        within = arguments[1] if event in ("os.remove", "os.rmdir") and arguments[1] >= 0 else None
        place = os.getcwd() if within is None else os.readlink(f"/proc/self/fd/{within}")
        for path in arguments[:2]:
            if isinstance(path, (str, bytes)):
                written.add(os.path.abspath(os.path.join(place, os.fsdecode(path))))
sys.addaudithook(watch)
sys.argv = ["scenefer", *sys.argv[2:]]
from scenefer import __main__
try:
    __main__.main()
finally:
    with open(os.environ["WRITTEN"], "a") as file:
        file.writelines(repr(path) + "\\n" for path in written)
"""


def tree(folder: Path) -> dict[str, int]:
    """Every path below a folder with the time of its last change."""
    return {str(path.relative_to(folder)): path.lstat().st_mtime_ns for path in folder.rglob("*")}


def test_nothing_is_written_outside_the_folders_that_were_named_and_names_are_only_names(tmp_path: Path):
    """A film is analysed, gathered, counted and pruned, in a world of its own."""
    world = tmp_path / "world"
    for name in ("home", "temporary", "films", "work"):
        (world / name).mkdir(parents=True)
    write_clip(world / "clip.mp4", [plain((90, 120, 150), 128, 72)] * 5)
    film = world / "films" / NAME
    shutil.move(world / "clip.mp4", film)
    before = tree(world)
    environment = {
        **{name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH") if name in os.environ},
        "HOME": str(world / "home"), "TMPDIR": str(world / "temporary"), "PYTHONDONTWRITEBYTECODE": "1",
        "WRITTEN": str(tmp_path / "written"), "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    places = ["--out", str(world / "out"), "--data", str(world / "data")]
    said = ""
    for command in (
        ["analyze", str(film), "--workers", "1", *places],
        ["library", str(world / "out")],
        ["status", str(world / "films"), *places],
        ["cache", *places, "--prune", "--yes"],
    ):
        done = subprocess.run(
            [sys.executable, "-c", WATCHED, "-", *command], cwd=world / "work", env=environment, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        said += done.stdout + done.stderr
    assert (world / "out" / "library.html").is_file()
    after = tree(world)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert {name.split("/")[0] for name in changed} == {"out", "data"}
    written = {ast.literal_eval(line) for line in (tmp_path / "written").read_text().splitlines()}
    inside = (str(world / "out"), str(world / "data"), "/dev/", "/proc/", str(tmp_path / "written"))
    assert any(path.startswith(inside[0]) for path in written)
    assert {path for path in written if not path.startswith(inside)} == set()
    for text in (said, *(page.read_text("utf-8") for page in (world / "out").rglob("*.html"))):
        assert "pwned" in text
        commands = {c for c in text if (ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160}
        assert commands == set()
    (record,) = (world / "out").glob("*/run.json")
    assert json.loads(record.read_text())["film"]["path"] == str(film)

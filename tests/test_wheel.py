"""The wheel is whole: built without a warning, installed outside the checkout, it tests itself and reads a film."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from scenefer.core.version import __version__
from tests.program import environment_of

ROOT = Path(__file__).parents[1]
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "scenefer", "pipelines")
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
WARNING = re.compile(r"^.*(?:Warning:|!!|Deprecat).*$", re.MULTILINE)


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command on nothing but what is installed; return all that it says."""
    environment = environment_of({"PYTHONPATH": ""})
    done = subprocess.run(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Build the wheel from a copy of the sources, where no earlier build lies; return it and what was said."""
    folder = tmp_path_factory.mktemp("sources")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.tmp"))
        else:
            shutil.copy(ROOT / name, folder / name)
    said = run(*PIP, "wheel", "-v", "--no-deps", "--no-index", "--no-build-isolation", "-w", "dist", ".", cwd=folder)
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel, said


@pytest.fixture(scope="module")
def scripts(built: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into a fresh environment, which takes other packages from this one; return its ``bin``."""
    folder = tmp_path_factory.mktemp("fresh")
    run(sys.executable, "-m", "venv", "--without-pip", "venv", cwd=folder)
    there = {"base": str(folder / "venv"), "platbase": str(folder / "venv")}
    # A path file within a folder that a path file names is not read: the editable install of here stays out.
    (Path(sysconfig.get_path("purelib", vars=there)) / "packages.pth").write_text(sysconfig.get_path("purelib"))
    scripts = Path(sysconfig.get_path("scripts", vars=there))
    python = scripts / Path(sys.executable).name
    run(*PIP, "--python", python, "install", "--no-deps", "--no-index", "--ignore-installed", built[0], cwd=folder)
    place = run(python, "-c", "import scenefer; print(scenefer.__file__)", cwd=folder).strip()
    assert Path(place).is_relative_to(folder / "venv")
    return scripts


def test_the_wheel_is_built_without_a_warning(built: tuple[Path, str]):
    assert WARNING.findall(built[1]) == []


def test_every_file_of_the_package_is_in_the_wheel(built: tuple[Path, str]):
    inside = set(zipfile.ZipFile(built[0]).namelist())
    files = [path for name in ("scenefer", "pipelines") for path in (ROOT / name).rglob("*") if path.is_file()]
    kept = [path.relative_to(ROOT) for path in files if path.suffix not in (".pyc", ".tmp", ".yaml")]
    assert len(kept) > 150
    assert [path for path in kept if path.as_posix().replace("pipelines/", "scenefer/pipelines/") not in inside] == []


def test_the_licences_of_all_that_is_inside_are_in_the_wheel(built: tuple[Path, str]):
    wheel = zipfile.ZipFile(built[0])
    about = f"scenefer-{__version__}.dist-info"
    metadata = Parser().parsestr(wheel.read(f"{about}/METADATA").decode())
    assert metadata["Version"] == __version__
    assert metadata["License-Expression"] == "Apache-2.0 AND MIT"
    texts = {name: wheel.read(f"{about}/licenses/{name}").decode() for name in metadata.get_all("License-File", [])}
    assert "Apache License" in texts["LICENSE"]
    assert "Plotly" in texts["scenefer/report/plotly-licence.txt"]
    assert "NASA" in texts["scenefer/assets/README.md"]
    for name in (name for name in wheel.namelist() if name.startswith("scenefer/weights/") and "safetensors" in name):
        assert Path(name).name in texts["scenefer/weights/README.md"]


def test_what_was_installed_from_the_wheel_tests_itself_and_analyses_the_demo_film(scripts: Path, tmp_path: Path):
    program = scripts / "scenefer"
    assert run(program, "--version", cwd=tmp_path).split()[-1] == __version__
    checks = run(program, "selftest", cwd=tmp_path).splitlines()
    assert len(checks) >= 3
    assert all(line.startswith("ok ") for line in checks)
    run(scripts / Path(sys.executable).name, "-m", "scenefer.demo", "demo", cwd=tmp_path)
    quick = ("--plan", "library", "--profile", "fast", "--workers", "1", "--lang", "id", "--out", "reports")
    run(program, "analyze", "demo/demo.mp4", "--intended", "demo/demo.csv", *quick, cwd=tmp_path)
    report = (tmp_path / "reports" / "demo" / "report.html").read_text(encoding="utf-8")
    assert '<html lang="id"' in report
    assert "portrait" in report
    run(program, "library", "reports", cwd=tmp_path)
    assert (tmp_path / "reports" / "library.html").is_file()

"""Imports point one way, and the command line starts without the heavy packages."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import scenefer

PACKAGE = Path(scenefer.__file__).parent

# A module may import those of its own layer, as long as there is no circle, and those of the layers above it here.
LAYERS = (
    (
        *("errors", "exchange", "files", "film", "finding", "geometry"),
        *("schema", "tables", "metrics", "timecode", "intentions", "language"),
    ),
    (
        *("video", "models", "scores", "shots", "transitions", "tracks", "expression"),
        *("samples", "likeness", "scenes", "bootstrap", "emotions", "rows", "timelines", "sheets"),
        *("verdicts", "readings", "agreement", "differences", "comparison", "findings"),
    ),
    (
        *("observation", "cast", "actors", "analysis", "report", "entries", "library"),
        *("templates", "summary", "subtitles", "export", "explanation", "curves", "courses", "overlay", "plates"),
    ),
    (
        *(
            "plan",
            "claims",
            "store",
            "executors",
            "feed",
            "survey",
            "pieces",
            "sighting",
            "run",
            "reclassification",
            "copies",
            "finish",
            "erasure",
        ),
        *("inventory", "failures", "resources", "reports", "agenda", "ledger", "jobs", "batch", "cluster"),
        *("status", "housekeeping", "training", "demo"),
    ),
    ("console", "board", "cli"),
    ("__init__", "__main__"),
)
RANK = {module: rank for rank, layer in enumerate(LAYERS) for module in layer}

SOURCES = sorted(PACKAGE.rglob("*.py"))


def module_of(path: Path) -> str:
    """Name the top-level module or folder that a source file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path, *, lazily: bool = True) -> Iterator[str]:
    """Yield the dotted names that a file imports; with ``lazily`` also those that wait inside functions.

    What is imported for the type checker alone is left out: it is never loaded.
    """
    waiting: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not lazily:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        waiting.extend(ast.iter_child_nodes(node))


def own_imports(path: Path, *, lazily: bool = True) -> set[str]:
    """Name the other modules of scenefer that a file imports."""
    names = {name.split(".")[1] for name in imported(path, lazily=lazily) if name.startswith("scenefer.")}
    return names & {module_of(source) for source in SOURCES} - {module_of(path)}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_has_a_place_in_the_order_and_imports_nothing_above_it(path: Path):
    module = module_of(path)
    assert module in RANK, f"{module} has no layer: say in LAYERS who may import it"
    wrong = {name for name in own_imports(path) if RANK[name] > RANK[module]}
    assert not wrong, f"{module} imports {sorted(wrong)}, which stand above it"


def test_no_circle_of_imports():
    needs = {module_of(path): set[str]() for path in SOURCES}
    for path in SOURCES:
        needs[module_of(path)] |= own_imports(path, lazily=False)
    while free := {module for module, needed in needs.items() if not needed}:
        needs = {module: needed - free for module, needed in needs.items() if module not in free}
    assert not needs, f"these import each other: { {module: sorted(needed) for module, needed in needs.items()} }"


def test_training_is_imported_by_nothing_but_the_command_line():
    for path in SOURCES:
        if module_of(path) not in ("training", "cli"):
            assert "training" not in own_imports(path), path.name


def test_only_video_decodes():
    """A second place that decodes would be a second clock; the demo film is written with the same library."""
    readers = {"av", "decord"}
    found = {path for path in SOURCES if {name.split(".")[0] for name in imported(path)} & readers}
    decoding = {module_of(path) for path in found if ".decode(" in path.read_text("utf-8")}
    assert decoding == {"video"}
    assert {module_of(path) for path in found} <= {"video", "demo"}


def test_the_benchmarks_are_imported_by_nothing():
    for path in SOURCES:
        assert not {name for name in imported(path) if name.split(".")[0] in ("benchmarks", "tests")}, path.name


def test_the_command_line_starts_without_the_heavy_packages():
    """`scenefer --help` has to answer at once: what it loads is read in an interpreter of its own."""
    script = "import json, sys, scenefer.cli; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert not loaded & {"torch", "ray", "pandas", "pyarrow", "numpy", "cv2", "av", "plotly", "torchvision"}


def test_import_scenefer_alone_loads_nothing_heavy():
    script = "import json, sys, scenefer; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert not loaded & {"torch", "ray", "pandas", "numpy", "cv2", "av"}

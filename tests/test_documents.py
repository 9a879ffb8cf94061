"""What README and model card say is what the results files say, of the weights that ship."""

from __future__ import annotations

import json
import re
import shutil
import textwrap
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import scenefer
from benchmarks import card as model_card
from benchmarks import expression, networks, reading, readme, stills
from scenefer.core.film import Film
from scenefer.interchange import scene_lists
from scenefer.models import known_weights, weight_files
from scenefer.models.expression.network import NETWORKS

PORTRAIT = Path(scenefer.__file__).parent / "assets" / "portrait.jpg"
ROOT = Path(__file__).parents[1]
SHIPPED = known_weights.EXPRESSION["rmn_face"]


@pytest.mark.parametrize(("where", "text"), readme.blocks().items(), ids=lambda value: value[1][:12])
def test_the_documents_say_what_was_measured(where: tuple[str, str], text: str):
    document, name = where
    assert f"<!-- {name} -->\n\n{text}\n\n<!-- /{name} -->" in (ROOT / document).read_text(encoding="utf-8")


def test_the_readme_is_read_to_its_end():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


def test_the_readmes_sheet_and_its_lines_of_python_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    sheet, python = (
        textwrap.dedent(re.sub(rf".*<!-- {name} -->(.*)<!-- /{name} -->.*", r"\1", text, flags=re.DOTALL))
        for name in ("sheet", "python")
    )
    (tmp_path / "film.csv").write_text(sheet.strip() + "\n", encoding="utf-8")
    film = Film(Path("film.mp4"), "0" * 16, 1280, 720, 66.0, Fraction(25))
    read, _ = scene_lists.read_sheet(tmp_path / "film.csv", film)
    assert read["intended"].notna().sum() == 3
    shutil.copy(PORTRAIT, tmp_path / "film.png")  # a still stands for the film, and has a second
    (tmp_path / "film.csv").write_text("scene,start,end,intended\nthe portrait,0,1,happy\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(python.replace("film.mp4", "film.png"), names)  # the line as a reader would type it
    assert set(names["analysis"].scene_emotions.columns) >= {"scene", "view", "emotion", "percent", "low", "high"}
    assert (tmp_path / "reports" / "film" / "report.html").is_file()


def test_the_card_says_what_was_measured_and_each_look_at_privatetest():
    card = (ROOT / "MODEL_CARD.md").read_text(encoding="utf-8")
    measured = json.loads(expression.RESULTS.read_text(encoding="utf-8"))
    assert f"<!-- figures -->\n\n{model_card.tables(measured)}\n\n<!-- /figures -->" in card
    leaked = model_card.leaked(json.loads(model_card.LEAKS.read_text(encoding="utf-8")), measured["figures"])
    assert f"<!-- leaks -->\n\n{leaked}\n\n<!-- /leaks -->" in card
    attacked = model_card.attacked(json.loads(model_card.PRIVACY.read_text(encoding="utf-8")))
    assert f"<!-- privacy -->\n\n{attacked}\n\n<!-- /privacy -->" in card
    assert f"<!-- ledger -->\n\n{model_card.ledger()}\n\n<!-- /ledger -->" in card


def test_which_network_says_what_was_measured_of_every_network_that_can_be_chosen():
    page = networks.PAGE.read_text(encoding="utf-8")
    results = json.loads(networks.RESULTS.read_text(encoding="utf-8"))
    for name, text in networks.pieces(results).items():
        assert f"<!-- {name} -->\n\n{text}\n\n<!-- /{name} -->" in page
    assert {one["name"] for one in results["networks"]} == set(NETWORKS.names())


def test_what_was_measured_are_the_weights_that_ship():
    assert weight_files.sha256_of(SHIPPED.path) == SHIPPED.sha256
    assert SHIPPED.path.stat().st_size == SHIPPED.n_bytes <= 14_000_000
    for results in (expression.RESULTS, model_card.PRIVACY):
        assert json.loads(results.read_text(encoding="utf-8"))["sha256"] == SHIPPED.sha256, results.name
    assert json.loads(reading.RESULTS.read_text(encoding="utf-8"))["rmn_face"]["sha256"] == SHIPPED.sha256


def test_where_data_sets_come_from_can_be_read_and_says_what_each_is_for():
    sources = tomllib.loads((ROOT / "data" / "sources.toml").read_text(encoding="utf-8"))
    assert {"fer2013", "ferplus", "sfew_train", "ck48", "jaffe", "imfdb", "rafdb"} == sources.keys()
    for name, source in sources.items():
        assert source.keys() >= {"name", "source", "terms", "pictures", "used"}, name
        file = stills.FACES / f"{name}.parquet"
        if file.is_file():
            assert weight_files.sha256_of(file) == source["sha256"], name
            assert pq.read_metadata(file).num_rows == source["pictures"], name

"""What README and model card say is what the results files say, of the weights that ship."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import calibration, expression, readme
from scenefer.models import records

ROOT = Path(__file__).parents[1]
SHIPPED = records.EXPRESSION["rmn_compact"]


@pytest.mark.parametrize(("name", "text"), readme.blocks().items(), ids=lambda value: value[:12])
def test_the_readme_says_what_was_measured(name: str, text: str):
    assert f"<!-- {name} -->\n\n{text}\n\n<!-- /{name} -->" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_card_says_what_was_measured_and_each_look_at_privatetest():
    card = (ROOT / "MODEL_CARD.md").read_text(encoding="utf-8")
    measured = json.loads(expression.RESULTS.read_text(encoding="utf-8"))
    assert f"<!-- figures -->\n\n{expression.tables(measured)}\n\n<!-- /figures -->" in card
    leaked = expression.leaked(json.loads(expression.LEAKS.read_text(encoding="utf-8")), measured["figures"])
    assert f"<!-- leaks -->\n\n{leaked}\n\n<!-- /leaks -->" in card
    assert f"<!-- ledger -->\n\n{expression.ledger()}\n\n<!-- /ledger -->" in card


def test_what_was_measured_are_the_weights_that_ship():
    assert records.sha256_of(SHIPPED.path) == SHIPPED.sha256
    assert SHIPPED.path.stat().st_size == SHIPPED.n_bytes <= 14_000_000
    for results in (expression.RESULTS, calibration.RESULTS):
        assert json.loads(results.read_text(encoding="utf-8"))["sha256"] == SHIPPED.sha256, results.name

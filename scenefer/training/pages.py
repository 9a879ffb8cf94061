"""Results of training and evaluation as self-contained HTML pages, and the confusion matrix as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from scenefer.core import atomic
from scenefer.core.schema import EMOTIONS
from scenefer.training.measures import Figures, describe

_WIDTH, _HEIGHT, _MARGIN = 560, 320, 44  # px of a chart
_COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd")
_CELL = 64  # px of a cell of the confusion matrix's picture
_STYLE = """body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em }
table { border-collapse: collapse } td, th { padding: .4em .7em; text-align: right; font-weight: normal }
pre { white-space: pre-wrap } .words { text-align: left } tr { border-top: 1px solid #ddd }"""


def curves(rows: Sequence[dict[str, float]], title: str) -> str:
    """Make a page with a run's loss and accuracies by epoch."""
    epochs = [row["epoch"] for row in rows]
    scores = [name for name in rows[0] if name.startswith("public_")]
    accuracy = _chart({name: list(zip(epochs, [row[name] for row in rows], strict=True)) for name in scores}, "epoch")
    loss = _chart({"loss": list(zip(epochs, [row["loss"] for row in rows], strict=True))}, "epoch")
    return page(title, f"<h2>PublicTest</h2>{accuracy}<h2>Training loss</h2>{loss}")


def evaluation(figures: Figures) -> str:
    """Make a page with the results of an evaluation: text, confusion matrix, reliability diagram."""
    diagonal = {"perfect": [(0.0, 0.0), (1.0, 1.0)]}
    found = {"found": [(confidence, right) for confidence, right, _ in figures.reliability]}
    parts = [
        f"<pre>{escape(describe(figures))}</pre><h2>Confusion: truth down, found across, % of the truth</h2>",
        _confusion_table(figures),
        f"<h2>Reliability: mean confidence, share right</h2>{_chart(diagonal | found, 'confidence')}",
    ]
    return page(f"{figures.data} {figures.split}".strip(), "".join(parts))


def evaluated(title: str, words: str, lines: dict[str, list[tuple[float, float]]], across: str) -> str:
    """Write a page of words as they are printed, and lines by name."""
    return page(title, f"<pre>{escape(words)}</pre>{_chart(lines, across)}")


def write(figures: Figures, folder: Path) -> tuple[Path, Path]:
    """Write ``evaluation.html`` and ``confusion.png`` into a folder, which is created if missing.

    Raises:
        OutputError: they cannot be written.
    """
    written, picture = folder / "evaluation.html", folder / "confusion.png"
    for path, content in ((written, evaluation(figures).encode()), (picture, confusion_picture(figures))):
        atomic.write_result(path, content, "choose another folder as --to")
    return written, picture


def confusion_picture(figures: Figures) -> bytes:
    """Draw the confusion matrix as PNG, in percent of each row; rows are true labels, columns are found labels."""
    columns, shares = _shares(figures)
    width, height = _CELL * (len(columns) + 1) + _CELL // 2, _CELL * (len(EMOTIONS) + 1)
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    for column, name in enumerate(columns):
        draw.text((_CELL * (column + 1) + 40, _CELL // 2), name, fill="black")
    for row, emotion in enumerate(EMOTIONS):
        draw.text((8, _CELL * (row + 1) + _CELL // 2 - 6), emotion, fill="black")
        for column in range(len(columns)):
            x, y = _CELL * (column + 1) + _CELL // 2, _CELL * (row + 1)
            share = shares[row, column]
            draw.rectangle((x, y, x + _CELL - 2, y + _CELL - 2), fill=_shade(share))
            draw.text((x + 20, y + _CELL // 2 - 6), f"{share:.0%}", fill="white" if share > 0.5 else "black")
    encoded = BytesIO()
    picture.save(encoded, "PNG")
    return encoded.getvalue()


def _shares(figures: Figures) -> tuple[list[str], np.ndarray]:
    """Return column names and row shares of the confusion matrix, with a column for undetected faces if any."""
    columns: list[str] = [*EMOTIONS]
    counts = np.array(figures.confusion, float)
    if figures.n_missed:
        columns, counts = [*columns, "no face"], np.column_stack([counts, figures.missed])
    return columns, counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def _shade(share: float) -> tuple[int, int, int]:
    return tuple(round(255 + (deep - 255) * share) for deep in (31, 90, 160))  # pyright: ignore[reportReturnType] - three


def _confusion_table(figures: Figures) -> str:
    columns, shares = _shares(figures)
    rows = ["<tr><th></th>" + "".join(f"<th>{name}</th>" for name in columns) + "<th>n</th></tr>"]
    for row, emotion in enumerate(EMOTIONS):
        cells = "".join(
            f'<td style="background:rgb{_shade(share)};color:{"white" if share > 0.5 else "black"}">{share:.0%}</td>'
            for share in shares[row]
        )
        n = sum(figures.confusion[row]) + figures.missed[row]
        rows.append(f"<tr><th>{emotion}</th>{cells}<td>{n}</td></tr>")
    return f"<table>{''.join(rows)}</table>"


def _chart(lines: dict[str, list[tuple[float, float]]], across: str) -> str:
    """Draw lines as SVG, with minimum and maximum at the axes."""
    points = np.array([point for line in lines.values() for point in line], float)
    low, high = points.min(axis=0), points.max(axis=0)
    span = np.where(high > low, high - low, 1.0)
    inner = np.array([_WIDTH - 2 * _MARGIN, _HEIGHT - 2 * _MARGIN])
    drawn, legend = [], []
    for (name, line), colour in zip(lines.items(), _COLOURS, strict=False):
        placed = (np.array(line, float) - low) / span * inner
        path = " ".join(f"{_MARGIN + x:.1f},{_HEIGHT - _MARGIN - y:.1f}" for x, y in placed)
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        legend.append(f'<tspan fill="{colour}">{escape(name)} </tspan>')
    texts = [
        f'<text x="{_MARGIN}" y="{_HEIGHT - 12}">{low[0]:g}</text>',
        f'<text x="{_WIDTH - _MARGIN}" y="{_HEIGHT - 12}" text-anchor="end">{high[0]:g} ({across})</text>',
        f'<text x="4" y="{_HEIGHT - _MARGIN}">{low[1]:.3g}</text><text x="4" y="{_MARGIN}">{high[1]:.3g}</text>',
        f'<text x="{_MARGIN}" y="20">{"".join(legend)}</text>',
    ]
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" role="img" font-size="13">'
        f"{''.join(drawn)}{''.join(texts)}</svg>"
    )


def page(title: str, body: str) -> str:
    """Frame a page that needs nothing else."""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
        f"<h1>{escape(title)}</h1>{body}</html>"
    )

"""A study as one page: our figures with their intervals beside the published ones, and how each came about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from scenefer.core.schema import EMOTIONS
from scenefer.training import pages
from scenefer.training.recipes import Recipe

if TYPE_CHECKING:
    import pandas as pd

_WIDTH, _HEIGHT = 140, 22  # px of a row's figure
INDEPENDENT = (
    "Intervals take pictures as independent of each other; where several show one person or clip, they are narrower "
    "than they should be."
)
_LEGEND = (
    f"Line: our 95 % interval (Wilson), dot: our share; tick: published. The scale runs from 0 to 100 %. {INDEPENDENT}"
)


def page(title: str, paper: str, about: str, table: pd.DataFrame) -> str:
    """Write the page of a study from its table (``studies.table_of``, ``light_distance.run``)."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    body = f"<p>{escape(paper)}</p><p>{escape(about)}</p>"
    if "distance" in table:
        return pages.page(title, body + _conditions(rows))
    head = "row test n ours,&nbsp;% published,&nbsp;% top-5,&nbsp;% epochs started&nbsp;from"
    lines = ["<tr>" + "".join(f"<th>{word}</th>" for word in head.split(" ")) + "<th></th></tr>"]
    lines += [_row(row) for row in rows]
    parts = [body, f"<p>{_LEGEND}</p><table>{''.join(lines)}</table>", _recalls(rows), _recipes(rows)]
    return pages.page(title, "".join(parts))


def text(table: pd.DataFrame) -> str:
    """Write the table in words, a line a row."""
    lines = []
    for row in table.astype(object).where(table.notna(), None).to_dict("records"):
        if "distance" in row:
            found = f"found {row['found']:.0%}, read rightly {row['right']:.0%} of {row['n']}"
            lines.append(f"{row['detector']:6} {row['light']:20} {100 * row['distance']:4.0f} cm  {found}")
            continue
        published = "" if row["published"] is None else f", published {row['published']:.1%}"
        ours = row["missing"]
        if row["accuracy"] is not None:
            interval = f"{row['low']:.1%} to {row['high']:.1%}, n = {row['n']:.0f}"
            ours = f"{row['accuracy']:.1%} ({interval}) after {row['epochs']:.0f} of {row['planned']:.0f} epochs"
        lines.append(f"{row['row']} on {row['test']}: {ours}{published}")
    return "\n".join(lines)


def _row(row: Mapping[Any, Any]) -> str:
    learned = f"<br><small>{escape(row['learned'])}</small>"
    names = f'<td class="words">{escape(row["row"])}{learned}</td><td class="words">{escape(row["test"])}</td>'
    published = "–" if row["published"] is None else f"{100 * row['published']:.2f}"
    if row["accuracy"] is None:
        missing = f'<td colspan="2" class="words">{escape(row["missing"])}</td>'
        return f'<tr>{names}{missing}<td>{published}</td><td colspan="4"></td></tr>'
    interval = f"<br><small>{100 * row['low']:.1f} to {100 * row['high']:.1f}</small>"
    ours = f"<td>{row['n']:.0f}</td><td>{100 * row['accuracy']:.1f}{interval}</td>"
    top = f"{100 * row['top5']:.1f}"
    top += "" if row["published_top5"] is None else f" ({100 * row['published_top5']:.2f})"
    how = f"<td>{row['epochs']:.0f} of {row['planned']:.0f}</td><td>{escape(row['started_from'])}</td>"
    return f"<tr>{names}{ours}<td>{published}</td><td>{top}</td>{how}<td>{_figure(row)}</td></tr>"


def _figure(row: Mapping[Any, Any]) -> str:
    low, middle, high = (row[key] * _WIDTH for key in ("low", "accuracy", "high"))
    y = _HEIGHT / 2
    tick = ""
    if row["published"] is not None:
        x = row["published"] * _WIDTH
        tick = f'<line x1="{x:.1f}" x2="{x:.1f}" y1="2" y2="{_HEIGHT - 2}" stroke="#d62728" stroke-width="2"/>'
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" role="img" aria-label="{100 * row["accuracy"]:.1f} %">'
        f'<line x1="0" x2="{_WIDTH}" y1="{y}" y2="{y}" stroke="#ddd"/>'
        f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" stroke="#1f77b4" stroke-width="4"/>'
        f'<circle cx="{middle:.1f}" cy="{y}" r="4" fill="#1f77b4"/>{tick}</svg>'
    )


def _recalls(rows: list[dict[Any, Any]]) -> str:
    """Write what share of each expression was read rightly, the loss, and what came of labels made wrong."""
    known = [row for row in rows if row["accuracy"] is not None]
    if not known:
        return ""
    head = "".join(
        f"<th>{word}</th>"
        for word in ("row", "test", *EMOTIONS, "loss", "faces/s of processor time", "wrong labels recovered")
    )
    lines = []
    for row in known:
        names = "".join(f'<td class="words">{escape(str(row[key]))}</td>' for key in ("row", "test"))
        shares = "".join(f"<td>{'–' if share is None else f'{100 * share:.0f}'}</td>" for share in row["recall"])
        recovered = "" if row["recovered"] is None else f"{100 * row['recovered']:.0f} %"
        rest = f"<td>{row['loss']:.3f}</td><td>{row['faces_a_second']:.0f}</td><td>{recovered}</td>"
        lines.append(f"<tr>{names}{shares}{rest}</tr>")
    return f"<h2>Of each expression, % read rightly</h2><table><tr>{head}</tr>{''.join(lines)}</table>"


def _recipes(rows: list[dict[Any, Any]]) -> str:
    """Write each row's recipe: what differs from the defaults."""
    told = []
    for name, text in {row["row"]: row["recipe"] for row in rows}.items():
        stated = json.loads(text)
        plain = json.loads(json.dumps(Recipe().__dict__ | {"augment": Recipe().augment.__dict__}))
        flat = {key: value for key, value in stated.items() if key != "augment" and value != plain[key]}
        changes = {key: value for key, value in stated["augment"].items() if value != plain["augment"][key]}
        words = [f"{key} = {value!r}" for key, value in flat.items()]
        words += [f"augment.{key} = {value!r}" for key, value in changes.items()]
        told.append(f"<dt>{escape(name)}</dt><dd>{escape(', '.join(words))}</dd>")
    return f"<h2>Recipes, where they differ from the defaults</h2><dl>{''.join(told)}</dl>"


def _conditions(rows: list[dict[Any, Any]]) -> str:
    """Write a table of found and rightly read faces: a line a detector and light, a column a distance."""
    distances = sorted({row["distance"] for row in rows})
    head = (
        "<tr><th>detector</th><th>light</th>" + "".join(f"<th>{100 * far:.0f} cm</th>" for far in distances) + "</tr>"
    )
    tables = []
    for key, words in (("found", "Found, % of the pictures"), ("right", "Found and read rightly, %")):
        lines = []
        for detector, light in dict.fromkeys((row["detector"], row["light"]) for row in rows):
            cells = {row["distance"]: row for row in rows if (row["detector"], row["light"]) == (detector, light)}
            values = "".join(
                f"<td>{100 * cells[far][key]:.0f}<br><small>{100 * cells[far][f'{key}_low']:.0f} to "
                f"{100 * cells[far][f'{key}_high']:.0f}</small></td>"
                for far in distances
            )
            lines.append(f'<tr><th>{escape(detector)}</th><td class="words">{escape(light)}</td>{values}</tr>')
        tables.append(f"<h2>{words}</h2><table>{head}{''.join(lines)}</table>")
    n = min(row["n"] for row in rows)
    return "".join(tables) + f"<p>{n} pictures a cell; below each share its 95 % interval (Wilson). {INDEPENDENT}</p>"

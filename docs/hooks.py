"""Pages of the site that are made from the program, so that they cannot say anything else: commands, Python, tables."""

from __future__ import annotations

import re
from pathlib import Path

import click
import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import scenefer
from scenefer import cli
from scenefer.core.schema import TABLES

ROOT = Path(__file__).parents[1]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are generated."""
    pages = {
        "reference/commands.md": commands(),
        "reference/python.md": python(),
        "reference/tables.md": tables(),
        "model-card.md": (ROOT / "MODEL_CARD.md").read_text(encoding="utf-8"),
    }
    for place, text in pages.items():
        files.append(File.generated(config, place, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links to the model card, which in the repository stands beside the README, to its page."""
    return markdown.replace("(../MODEL_CARD.md)", "(model-card.md)")


def commands() -> str:
    """Write a section a command, from its own help."""
    root = typer.main.get_command(cli.app)
    lines = ["# Commands", "", "Every command answers `--help` with what stands here.", ""]
    for name, command in _listed("scenefer", root):
        lines += [f"## `{name}`", "", _plain(command.help), ""]
        rows = [_row(parameter) for parameter in command.params if not getattr(parameter, "hidden", False)]
        lines += ["| argument | what it does |", "|---|---|", *rows, ""] if rows else []
    return "\n".join(lines)


def _listed(name: str, command: click.Command) -> list[tuple[str, click.Command]]:
    children = getattr(command, "commands", None)
    if children is None:
        return [(name, command)]
    return [found for child, one in children.items() for found in _listed(f"{name} {child}", one)]


def _row(parameter: click.Parameter) -> str:
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    if isinstance(parameter, click.Argument) or parameter.param_type_name == "argument":
        names = f"`{parameter.metavar or (parameter.name or '').upper()}`"
    shown = parameter.default is not None and not callable(parameter.default) and parameter.default not in (False, "")
    default = f" Default: `{parameter.default}`." if shown and parameter.param_type_name == "option" else ""
    return f"| {names} | {_plain(getattr(parameter, 'help', ''))}{default} |"


def _plain(text: str | None) -> str:
    return re.sub(r"\s+", " ", text or "").strip().replace("|", "\\|").replace("<", "&lt;")


def python() -> str:
    """Write an entry a public name; mkdocstrings fills in its documentation."""
    lines = [
        "# Python",
        "",
        "Everything that `import scenefer` offers. Nothing heavy is imported before it is used.",
        "",
    ]
    return "\n".join([*lines, *(f"::: scenefer.{name}\n" for name in sorted(scenefer.__all__))])


def tables() -> str:
    """Write a section a table, from the schema that every table is checked against."""
    lines = [
        "# Tables",
        "",
        "`tables/*.parquet` of a run; `scenefer schema` prints the same. `?` after a type: may be null.",
        "",
    ]
    for name, columns in TABLES.items():
        lines += [f"## {name}", "", "| column | type | unit | |", "|---|---|---|---|"]
        lines += [f"| `{c.name}` | {c.type} | {_plain(c.unit)} | {_plain(c.meaning)} |" for c in columns]
        lines.append("")
    return "\n".join(lines)

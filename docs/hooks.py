"""Pages of the site that are made from the program, so that they cannot say anything else."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import click
import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import scenefer
from scenefer import cli
from scenefer.core.schema import TABLES
from scenefer.pipeline.plans import Plan

ROOT = Path(__file__).parents[1]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are generated."""
    pages = {
        "reference/commands.md": commands(),
        "reference/python.md": python(),
        "reference/tables.md": tables(),
        "reference/settings.md": settings(),
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


def settings() -> str:
    """Write a section for each section of a plan, from the settings' classes and the comments beside their fields."""
    lines = [
        "# Settings",
        "",
        "What a plan file may set, for `scenefer analyze FILM --plan my.toml` and `batch`. Write only what deviates:",
        "",
        "    [observation]",
        "    sample_rate = 10.0",
        "",
        "`[words]` gives words of directors a meaning, see [lists of scenes](../scene-lists.md#words-of-directors).",
        "",
    ]
    plan = Plan()
    for section in fields(plan):
        part = getattr(plan, section.name)
        if is_dataclass(part):
            meant = {name: text for one in reversed(type(part).__mro__) for name, text in _comments(one).items()}
            lines += [f"## `[{section.name}]`", "", _plain(inspect.getdoc(type(part))), ""]
            lines += ["| setting | default | may be | |", "|---|---|---|---|"]
            for one in fields(part):
                default = f"`{getattr(part, one.name)!r}`".lower().replace("'", '"')
                lines.append(f"| `{one.name}` | {default} | {_bounds(one.metadata)} | {_plain(meant.get(one.name))} |")
            lines.append("")
    return "\n".join(lines)


def _bounds(metadata: Mapping[str, Any]) -> str:
    if "bounds" in metadata:
        return "{:g} to {:g}".format(*metadata["bounds"])
    return ", ".join(f"`{one}`" for one in metadata.get("known", ()) if one)


def _comments(settings_class: type) -> dict[str, str]:
    """Read what the source says of each field: the comment behind it, or the lines of comment above it."""
    if not is_dataclass(settings_class):
        return {}
    found, above = {}, list[str]()
    for line in inspect.getsource(settings_class).splitlines():
        code, _, comment = line.strip().partition("# ")
        name = re.match(r"(\w+): ", code)
        if name:
            found[name[1]] = comment or " ".join(above)
        above = [*above, comment] if comment and not code else []
    return found

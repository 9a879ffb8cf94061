"""The command line: parse arguments, make one call, print. ``__main__`` turns errors into one line and an exit code."""

from __future__ import annotations

import inspect
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from scenefer.cli import batches, comparisons, films, libraries, live, networks, runs, validation, visuals
from scenefer.core.errors import PlanError
from scenefer.core.run_folder import REPORT
from scenefer.core.text import did_you_mean

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Commands(TyperGroup):
    """The group of commands; for an unknown word, it suggests the command that was meant."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command to call.

        Raises:
            PlanError: there is no such command; the message says which one was probably meant.
        """
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise PlanError(_meant(args[0], args[1:], self.list_commands(ctx)))
        return super().resolve_command(ctx, args)


def _meant(word: str, rest: list[str], known: list[str]) -> str:
    """Suggest the command that was meant by a film, a run, or a misspelt command name."""
    named = shlex.join(["scenefer", "analyze", word, *rest])
    if word == "open":
        page = Path(rest[0]) / REPORT if rest and not rest[0].endswith(REPORT) else Path(*rest[:1], "")
        where = f"open {page} in a browser" if rest else "open a run's report.html in a browser"
        return f"there is no command 'open': {where}; scenefer analyze --open opens a report when it is written"
    if (Path(word) / REPORT).is_file():
        return f"{word} is an analysed film: open {Path(word) / REPORT}, or say what to do with it: scenefer --help"
    if Path(word).exists() or re.fullmatch(r"\.\w{2,4}", Path(word).suffix):
        return f"there is no command {word!r}; to analyse a film: {named}"
    near = did_you_mean(word, known, otherwise="")
    return f"there is no command {word!r}{f': {near}' if near else ''}; scenefer --help lists them"


def _first_words(command: Callable[..., Any]) -> str:
    """Return a command's short help: the first sentence of its docstring, up to the first colon or semicolon."""
    text = " ".join((inspect.getdoc(command) or "").split())
    return re.split(r"[.:;](?:\s|$)", text, maxsplit=1)[0] + "."


app = typer.Typer(
    cls=Commands,
    context_settings=SETTINGS,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Tell, scene by scene, which facial expressions a film shows.",
)
weights_app = typer.Typer(
    context_settings=SETTINGS,
    short_help="The weight files.",
    help="The weight files: which exist, which are installed, and their licences.",
)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
) -> None:
    if context.invoked_subcommand is None and not version:
        print(context.get_help())
    if version:
        from scenefer.core.version import __version__

        print(__version__)
        raise typer.Exit


for command in (
    films.analyze,
    films.scenes,
    batches.batch,
    live.live,
    runs.report,
    comparisons.compare,
    runs.reclassify,
    runs.forget,
    validation.validate,
    runs.export,
    runs.explain,
    visuals.overlay,
    visuals.proxy,
    visuals.figures,
    runs.words,
    runs.schema,
    libraries.library,
    libraries.status,
    libraries.cache,
    networks.train,
    networks.evaluate,
    networks.models,
    networks.study,
    networks.privacy,
    networks.doctor,
    networks.selftest,
):
    app.command(short_help=_first_words(command))(command)
app.add_typer(weights_app, name="weights")
for name in ("list", "pull", "add", "verify"):
    one = getattr(networks, f"weights_{name}")
    weights_app.command(name, short_help=_first_words(one))(one)

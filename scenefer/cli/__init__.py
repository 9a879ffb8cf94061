"""The command line: parse, one call, print. ``__main__`` turns errors into one line and an exit code."""

from __future__ import annotations

from typing import Annotated

import typer

from scenefer.cli import batches, films, libraries, networks, runs, views

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Tell, scene by scene, which facial expressions a film shows.",
)
weights_app = typer.Typer(help="The weight files: what there is, what is here, what it may be used for.")


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
) -> None:
    if context.invoked_subcommand is None and not version:
        print(context.get_help())
    if version:
        from scenefer import __version__

        print(__version__)
        raise typer.Exit


for command in (
    films.analyze,
    films.scenes,
    batches.batch,
    runs.report,
    runs.compare,
    runs.reclassify,
    runs.forget,
    runs.export,
    runs.explain,
    views.overlay,
    views.figures,
    runs.schema,
    libraries.library,
    libraries.status,
    libraries.cache,
    networks.train,
    networks.evaluate,
    networks.doctor,
    networks.selftest,
):
    app.command()(command)
app.add_typer(weights_app, name="weights")
for name in ("list", "pull", "add", "verify"):
    weights_app.command(name)(getattr(networks, f"weights_{name}"))

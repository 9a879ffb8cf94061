"""Commands about networks and their weights: how they are made, measured and kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from scenefer.cli.speech import demand, err, note_lines, say
from scenefer.errors import PlanError, WeightsError


def train(
    recipe: Annotated[str, typer.Argument(help="TOML of a run, or the name of a recipe that ships.")],
    data: Annotated[Path, typer.Option(help="FER2013: fer2013.csv, fer2013.parquet, or a folder by split and class.")],
    out: Annotated[Path, typer.Option(help="Folder of the run; one that was begun goes on.")] = Path("run"),
    votes: Annotated[Path | None, typer.Option(help="FER+: fer2013new.csv, where --data is fer2013.csv.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    last_epoch: Annotated[int | None, typer.Option(min=0, help="Stop before this epoch, to go on later.")] = None,
) -> None:
    """Train an expression network; a run that was stopped goes on from its last save."""
    from rich.progress import Progress

    from scenefer.models import zoo
    from scenefer.training import recipes, seeds
    from scenefer.training.train import train as start

    chosen = zoo.choose_device(device)
    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("reading the data", total=None)

        def tell(stage: str, done: int, total: int) -> None:
            bar.update(task, description=stage, completed=done, total=total)

        found = recipes.find_recipe(recipe)
        best = start(found, out, data, votes, device=chosen, last_epoch=last_epoch, progress=tell, tell=note_lines)
    if best.exists():
        say(f"weights: {best}")
        for curves in [run / "curves.html" for run in (out, *seeds.folders(out))]:
            if curves.exists():
                say(f"curves: {curves}")


def evaluate(
    weights: Annotated[list[str], typer.Argument(help="Names or files of weights; several are averaged.")],
    data: Annotated[Path, typer.Option(help="A data set: CSV, Parquet, or a folder of class folders.")],
    split: Annotated[str, typer.Option(help="Training, PublicTest or PrivateTest, where the set has splits.")] = "",
    votes: Annotated[Path | None, typer.Option(help="FER+: fer2013new.csv, where --data is fer2013.csv.")] = None,
    truth: Annotated[str, typer.Option(help="label, or majority of the FER+ votes.")] = "label",
    head: Annotated[str | None, typer.Option(help="Head to read; else the one that feeds the reports.")] = None,
    tta: Annotated[bool, typer.Option("--tta", help="Average over five crops, each mirrored too.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    to: Annotated[Path | None, typer.Option(help="Folder for evaluation.html and confusion.png.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one object on stdout.")] = False,
) -> None:
    """Measure weights on labelled faces; of pictures that are not framed, a face that is not found counts as wrong."""
    from scenefer.models import zoo
    from scenefer.training import drawing
    from scenefer.training import evaluate as evaluation
    from scenefer.training.figures import describe

    if truth not in ("label", "majority"):
        raise PlanError(f"--truth must be label or majority, not {truth!r}")
    figures = evaluation.evaluate(
        weights,
        data,
        split,
        votes=votes,
        head=head,
        truth=truth,
        tta=tta,
        device=zoo.choose_device(device),
        tell=note_lines,
    )
    print(figures.as_json() if as_json else describe(figures))
    if to is not None:
        note_lines(", ".join(str(path) for path in drawing.write(figures, to)))


def doctor() -> None:
    """Say what is installed, which weights and devices there are, and test them."""
    import torch

    from scenefer import pieces
    from scenefer.models import records, selftest

    for name, version in pieces.versions().items():
        print(f"{name:24} {version}")
    devices = [torch.cuda.get_device_name(k) for k in range(torch.cuda.device_count())]
    print(f"{'devices':24} cpu{''.join(f', cuda ({name})' for name in devices)}")
    for record in records.known().values():
        here = "here" if record.path.is_file() else "not here"
        print(f"weights {record.name:18} {here}, {record.n_bytes / 1e6:.1f} MB, licence {record.licence}")
    _tell_selftest(selftest.run())


def selftest() -> None:
    """Test the weights that ship: stored outputs, the shipped portrait, a picture without a face."""
    from scenefer.models import selftest as testing

    _tell_selftest(testing.run())


def _tell_selftest(checks: list[Any]) -> None:
    for check in checks:
        print(f"{'ok    ' if check.passed else 'FAILED'} {check.claim}: {check.found}")
    if not all(check.passed for check in checks):
        raise typer.Exit(1)


def weights_list() -> None:
    """List the known weight files."""
    from scenefer.models import records, zoo

    for record in records.known().values():
        place = str(record.path) if record.path.is_file() else f"not here: scenefer weights pull {record.name}"
        print(f"{record.name:18} {record.kind:10} {record.n_bytes / 1e6:7.1f} MB  {record.licence}\n{'':18} {place}")
    for name, path in zoo.added().items():
        said = _licence(path)
        print(f"{name:18} {'expression':10} {path.stat().st_size / 1e6:7.1f} MB  {said}\n{'':18} {path}")


def _licence(path: Path) -> str:
    from scenefer.models import zoo

    try:
        return zoo.describe(path).get("licence", "licence not stated")
    except WeightsError as error:  # one bad file does not hide the others
        return str(error)


def weights_pull(name: str) -> None:
    """Download a weight file, resumed and verified."""
    from scenefer.models import records

    record = records.known().get(name)
    if record is not None:
        err.print(f"{name}: {record.n_bytes / 1e6:.1f} MB, licence: {record.licence}", highlight=False)
    print(records.pull(name))


def weights_add(
    file: Annotated[Path, typer.Argument(help="A safetensors file of ours, or a published RMN checkpoint.")],
    name: Annotated[str | None, typer.Option(help="Name for --weights; else the file's.")] = None,
) -> None:
    """Keep a weight file under a name; a published checkpoint is converted to safetensors, without executing it."""
    from scenefer.models import zoo

    demand(file)
    print(zoo.add(file, name or file.stem))


def weights_verify(name: str) -> None:
    """Check a weight file against its SHA-256."""
    from scenefer.models import records

    print(f"{records.verify(name)}: as recorded")

"""Commands that train, measure and manage networks and their weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from scenefer.cli.output import err, note_lines, require_paths, say, say_lines
from scenefer.core.errors import PlanError, WeightsError


def train(
    recipe: Annotated[str, typer.Argument(help="TOML file of a run, or the name of a shipped recipe.")],
    data: Annotated[
        Path,
        typer.Option(help="FER2013: fer2013.csv, fer2013.parquet, or a folder with one subfolder per split and class."),
    ],
    out: Annotated[Path, typer.Option(help="Folder of the run; an interrupted run is resumed.")] = Path("run"),
    votes: Annotated[Path | None, typer.Option(help="FER+: fer2013new.csv, where --data is fer2013.csv.")] = None,
    also: Annotated[
        list[Path] | None, typer.Option(help="Another data set that the recipe names; may be repeated.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    last_epoch: Annotated[int | None, typer.Option(min=0, help="Stop before this epoch, to resume later.")] = None,
) -> None:
    """Train an expression network; an interrupted run resumes from its last checkpoint."""
    from scenefer.models import registry
    from scenefer.training import recipes, weight_averaging
    from scenefer.training.train import train as start

    chosen = registry.choose_device(device)
    with _stages_shown() as tell:
        found = recipes.find_recipe(recipe)
        best = start(
            found,
            out,
            data,
            votes,
            also=also or (),
            device=chosen,
            last_epoch=last_epoch,
            progress=tell,
            tell=note_lines,
        )
    if best.exists():
        say(f"weights: {best}")
        for curves in [run / "curves.html" for run in (out, *weight_averaging.folders(out))]:
            if curves.exists():
                say(f"curves: {curves}")


def evaluate(
    weights: Annotated[list[str], typer.Argument(help="Names or files of weights; several are averaged.")],
    data: Annotated[Path, typer.Option(help="A data set: CSV, Parquet, or a folder of class folders.")],
    split: Annotated[str, typer.Option(help="Training, PublicTest or PrivateTest, if the set has splits.")] = "",
    votes: Annotated[Path | None, typer.Option(help="FER+: fer2013new.csv, where --data is fer2013.csv.")] = None,
    truth: Annotated[str, typer.Option(help="Ground truth: label, or majority (of the FER+ votes).")] = "label",
    head: Annotated[
        str | None, typer.Option(help="Evaluate only this head; default: blend the heads as in reports.")
    ] = None,
    tta: Annotated[bool, typer.Option("--tta", help="Average over five crops and their mirror images.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    to: Annotated[Path | None, typer.Option(help="Folder for evaluation.html and confusion.png.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one object on stdout.")] = False,
) -> None:
    """Measure weights on labelled faces; in pictures that are not cropped, an undetected face counts as wrong."""
    from scenefer.models import registry
    from scenefer.training import evaluate as evaluation
    from scenefer.training import pages
    from scenefer.training.measures import describe

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
        device=registry.choose_device(device),
        tell=note_lines,
    )
    print(figures.as_json() if as_json else describe(figures))
    if to is not None:
        note_lines(", ".join(str(path) for path in pages.write(figures, to)))


def study(
    name: Annotated[str, typer.Argument(help="A study that ships (smoke, film_rmn, …), or a TOML file.")],
    data: Annotated[
        list[Path], typer.Option(help="Folder with the data sets, named as the study names them; repeatable.")
    ],
    out: Annotated[Path, typer.Option(help="Folder of the study; one that was begun goes on.")],
    budget: Annotated[
        float | None, typer.Option(min=0, help="Hours for all rows that are left; epochs are cut to fit.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
) -> None:
    """Run a published table again on your data: networks, sets and published figures, ours beside them."""
    from scenefer.models import registry
    from scenefer.training import studies, study_page

    require_paths(*data)
    for folder in data:
        if not folder.is_dir():
            raise PlanError(f"{folder} is no folder; give the folder that holds the sets")
    with _stages_shown() as tell:
        chosen = registry.choose_device(device)
        table = studies.run(name, data, out, budget, device=chosen, progress=tell, tell=note_lines)
    say_lines(study_page.text(table))
    say(f"table: {out / studies.TABLE}")
    say(f"page: {out / studies.PAGE}")


def privacy(
    weights: Annotated[str, typer.Argument(help="Name or file of weights.")],
    members: Annotated[list[str], typer.Option(help="Data that they learned, FILE or FILE:SPLIT; repeatable.")],
    others: Annotated[list[str], typer.Option(help="Data that they did not learn, likewise.")],
    most: Annotated[int, typer.Option(min=40, help="Pictures of each side that are drawn.")] = 5000,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    to: Annotated[Path | None, typer.Option(help="A page to write, .html.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one object on stdout.")] = False,
) -> None:
    """Try to tell whose photograph weights learned; by the loss of each face against that of faces they never saw."""
    from scenefer.core import atomic
    from scenefer.models import registry
    from scenefer.training import privacy as attacking

    chosen = registry.choose_device(device)
    found = attacking.attack(weights, members, others, most=most, device=chosen, tell=note_lines)
    print(found.as_json() if as_json else attacking.describe(found))
    if to is not None:
        atomic.write_result(to, attacking.page(found).encode(), "choose another --to")
        note_lines(str(to))


def models(
    side: Annotated[
        int | None, typer.Option(min=48, max=224, help="Count at this side in px where a network reads at any.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one list on stdout.")] = False,
) -> None:
    """List the expression networks with their parameters and multiply-adds, counted on their layouts."""
    import json
    from dataclasses import asdict

    from scenefer.models import network_sizes

    sizes = network_sizes.measure_all(side)
    if as_json:
        print(json.dumps([asdict(size) for size in sizes], ensure_ascii=False))
        return
    print(f"{'network':15} {'parameters':>12} {'not learned':>11} {'multiply-adds':>14} {'input':>9}  paper, licence")
    for size in sizes:
        if size.parameters is None or size.statistics is None or size.multiply_adds is None:
            say(f"{size.name:15} {size.missing}")
            continue
        counts = f"{size.parameters:>12,} {size.statistics:>11,} {size.multiply_adds / 1e6:>12,.2f} M"
        edges = f"{size.side}×{size.side}"
        how = "" if size.learns else " (made of others)"
        say(f"{size.name:15} {counts} {edges:>9}  {size.paper or 'not stated'}, {size.licence}{how}")


def doctor() -> None:
    """Show versions, weights and devices, and test the weights."""
    import torch

    from scenefer.models import known_weights, selftest
    from scenefer.pipeline import chunks

    for name, version in chunks.versions().items():
        print(f"{name:24} {version}")
    devices = [torch.cuda.get_device_name(k) for k in range(torch.cuda.device_count())]
    print(f"{'devices':24} cpu{''.join(f', cuda ({name})' for name in devices)}")
    for record in known_weights.known().values():
        here = "here" if record.path.is_file() else "not here"
        print(f"weights {record.name:18} {here}, {record.n_bytes / 1e6:.1f} MB, licence {record.licence}")
    _tell_selftest(selftest.run())


def selftest() -> None:
    """Test the shipped weights: on stored outputs, the shipped portrait, and a picture without a face."""
    from scenefer.models import selftest as testing

    _tell_selftest(testing.run())


def _tell_selftest(checks: list[Any]) -> None:
    for check in checks:
        print(f"{'ok    ' if check.passed else 'FAILED'} {check.claim}: {check.found}")
    if not all(check.passed for check in checks):
        raise typer.Exit(1)


def weights_list() -> None:
    """List the known weight files."""
    from scenefer.models import known_weights, registry

    for record in known_weights.known().values():
        place = str(record.path) if record.path.is_file() else f"not here; {record.remedy}"
        print(f"{record.name:18} {record.kind:10} {record.n_bytes / 1e6:7.1f} MB  {record.licence}\n{'':18} {place}")
    for name, path in registry.added().items():
        said = _licence(path)
        print(f"{name:18} {'expression':10} {path.stat().st_size / 1e6:7.1f} MB  {said}\n{'':18} {path}")


def _licence(path: Path) -> str:
    from scenefer.models import registry

    try:
        return registry.describe(path).get("licence", "licence not stated")
    except WeightsError as error:  # one bad file must not hide the others
        return str(error)


def weights_pull(name: str) -> None:
    """Download a weight file; resume an interrupted download, and verify the file."""
    from scenefer.models import known_weights, weight_download

    record = known_weights.known().get(name)
    if record is not None:
        err.print(f"{name}: {record.n_bytes / 1e6:.1f} MB, licence: {record.licence}", highlight=False)
    print(weight_download.pull(name))


def weights_add(
    file: Annotated[Path, typer.Argument(help="A safetensors file made by scenefer, or a published RMN checkpoint.")],
    name: Annotated[str | None, typer.Option(help="Name for --weights; default: the file's name.")] = None,
) -> None:
    """Install a weight file under a name; a published checkpoint is converted to safetensors, without executing it."""
    from scenefer.models import registry

    require_paths(file)
    print(registry.add(file, name or file.stem))


def weights_verify(name: str) -> None:
    """Check a weight file against its SHA-256."""
    from scenefer.models import weight_files

    print(f"{weight_files.verify(name)}: as recorded")


@contextmanager
def _stages_shown() -> Iterator[Callable[[str, int, int], None]]:
    """Show a progress bar on a terminal; yield what is told the stage, and how much of how much of it is done."""
    from rich.progress import Progress

    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("reading the data", total=None)

        def tell(stage: str, done: int, total: int) -> None:
            bar.update(task, description=stage, completed=done, total=total)

        yield tell

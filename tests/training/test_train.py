"""Training follows its recipe, resumes as if it had never stopped, and leaves weights that the program reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import scenefer
from scenefer.core.errors import OutputError, PlanError, SceneferError, WeightsError
from scenefer.core.schema import EMOTIONS
from scenefer.models import registry, selftest, weight_files
from scenefer.models.expression import ensemble, predictor
from scenefer.models.expression.network import ExpressionNetwork
from scenefer.training import datasets, leakage, model_setup, objective, recipes, weight_averaging
from scenefer.training.recipes import Recipe, read_recipe
from scenefer.training.train import train

RECIPES = Path(__file__).parents[2] / "pipelines" / "recipes"
TINY = """
network = "rmn_compact"
trunk = ""
mixup = 0.2
epochs = 2
batch = 14
sides = [[0, 48]]
warm_up = 0.0
"""
STILL = ("rotation", "stretch", "shift", "flip", "gamma", "side_light", "exposure", "blur", "small", "compression")
STILL += ("noise", "erasing")


class Killed(Exception):
    """Stands for a kill in the middle of an epoch."""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


def _weights(run: Path) -> dict[str, torch.Tensor]:
    return torch.load(run / "state.pt", weights_only=True)["network"]


def test_a_run_that_is_killed_and_resumed_ends_as_if_it_had_not_been(tmp_path: Path, fer: Path, recipe: Path):
    data = fer / "fer2013.csv", fer / "fer2013new.csv"
    best = train(recipe, tmp_path / "whole", *data)

    def kill(what: str, step: int, steps: int) -> None:
        assert steps == 3
        if "epoch 2" in what and step == 2:
            raise Killed

    with pytest.raises(Killed):
        train(recipe, tmp_path / "parts", *data, save_every=0, progress=kill)
    train(recipe, tmp_path / "parts", *data)
    whole, parts = _weights(tmp_path / "whole"), _weights(tmp_path / "parts")
    assert all(torch.equal(whole[key], parts[key]) for key in whole)
    rows = pd.read_parquet(tmp_path / "parts" / "metrics.parquet")
    pd.testing.assert_frame_equal(rows, pd.read_parquet(tmp_path / "whole" / "metrics.parquet"))
    assert rows["epoch"].tolist() == [1, 2]

    # What a run leaves: a file that describes itself, passes its own selftest and is read by the program.
    assert {"recipe.toml", "commit", "curves.html", "confusion.html"} <= {file.name for file in best.parent.iterdir()}
    assert predictor.load(best).read(selftest.generated()).shape == (4, 15)
    assert all(check.passed for check in selftest._stored(best))


def test_a_recipe_starts_from_the_best_weights_of_the_one_before_it(tmp_path: Path, fer: Path, recipe: Path):
    data = fer / "fer2013.csv", fer / "fer2013new.csv"
    later = tmp_path / "later.toml"
    later.write_text(f"after = {str(recipe)!r}\nrate = 0.0\naverage = 0.0\n" + TINY)
    seen: list[str] = []

    def kill(what: str, step: int, steps: int) -> None:
        seen.append(what)
        if what.startswith("later"):
            raise Killed

    with pytest.raises(Killed):
        train(later, tmp_path / "run", *data, save_every=0, progress=kill)
    assert [*dict.fromkeys(seen)] == [
        f"{name}: epoch {n} of 2, 48 px" for name, n in [("tiny", 1), ("tiny", 2), ("later", 1)]
    ]
    seen.clear()
    best = train(later, tmp_path / "run", *data, progress=lambda what, *_: seen.append(what))
    assert {what.split(":")[0] for what in seen} == {"later"}, "what is done is not done again"
    first, second = (
        dict(predictor.load_network(run / "best.safetensors")[0].named_parameters())
        for run in (best.parent / "before", best.parent)
    )
    assert first
    assert all(torch.equal(first[name], second[name]) for name in first), "at a rate of 0 nothing is learned"
    before = weight_files.sha256_of(best.parent / "before" / "best.safetensors")[:12]
    assert predictor.load_network(best)[1]["started_from"] == f"weights {before}", "after a kill too"


def test_a_pair_is_the_network_of_the_recipe_before_and_one_that_it_taught(tmp_path: Path, fer: Path, recipe: Path):
    data = fer / "fer2013.csv", fer / "fer2013new.csv"
    small = TINY.replace("epochs = 2", "epochs = 1").replace("[[0, 48]]", "[[0, 56]]")
    recipe.write_text(small.replace("rmn_compact", "rmn_face"))
    later = tmp_path / "later.toml"
    pair = f"after = {str(recipe)!r}\npair = true\nteachers = ['start']\nfollow = 0.5\nfrozen = 1\n"
    later.write_text(pair + small.replace("rmn_compact", "rmn_lite"))
    torch.manual_seed(0)
    untouched = model_setup.make(read_recipe(later), torch.zeros(1, 48, 48, dtype=torch.uint8)).state_dict()
    best = train(later, tmp_path / "run", *data)
    assert best == tmp_path / "run" / "pair.safetensors"
    before, member = tmp_path / "run" / "before" / "best.safetensors", tmp_path / "run" / "best.safetensors"
    network, described = predictor.load_network(best)
    assert isinstance(network, ensemble.RmnPair)
    assert (network.face.side, network.picture.side) == (56, 56)
    assert described["temperature"] != "1.0"
    hashes = [weight_files.sha256_of(path)[:12] for path in (before, member)]
    assert described["started_from"] == f"weights {hashes[0]} and {hashes[1]}, read together"
    assert registry.describe(member)["started_from"] == f"from scratch; taught by weights {hashes[0]}"
    learned = _weights(tmp_path / "run")
    kept = {key for key in learned if torch.equal(learned[key], untouched[key])}
    assert {key for key in learned if key.startswith(("stem.", "groups.0."))} <= kept
    assert not {key for key in kept if key.startswith(("groups.1.", "masks.0.", "head."))}
    assert train(later, tmp_path / "run", *data) == best, "a run that is over is not begun again"


def test_a_trunk_that_is_not_here_is_told_before_the_recipe_before_is_trained(
    tmp_path: Path, fer: Path, recipe: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SCENEFER_WEIGHTS", str(tmp_path / "none"))
    later = tmp_path / "later.toml"
    trunk = "network = 'rmn_lite'\ntrunk = 'efficientnet_lite2'\nsides = [[0, 56]]\n"
    later.write_text(f"after = {str(recipe)!r}\npair = true\n{trunk}")
    with pytest.raises(WeightsError, match="run: scenefer weights pull efficientnet_lite2"):
        train(later, tmp_path / "run", fer / "fer2013.csv", fer / "fer2013new.csv")
    assert not (tmp_path / "run" / "before").exists()


def test_the_runs_of_several_seeds_become_one_that_is_no_worse_than_any(tmp_path: Path, fer: Path, recipe: Path):
    data = fer / "fer2013.csv", fer / "fer2013new.csv"
    recipe.write_text(TINY + "seed = 3\nseeds = 2\n")
    told: list[str] = []

    def kill(what: str, step: int, _: int) -> None:
        if what.startswith("tiny, seed 4") and step == 2:
            raise Killed

    with pytest.raises(Killed):
        train(recipe, tmp_path / "run", *data, save_every=0, progress=kill)
    assert not (tmp_path / "run" / "best.safetensors").exists(), "one of two"
    best = train(recipe, tmp_path / "run", *data, tell=told.append)
    folders = [tmp_path / "run" / name for name in ("seed_3", "seed_4")]
    assert all(len(pd.read_parquet(folder / "metrics.parquet")) == 2 for folder in folders)
    recipe.write_text(TINY + "seed = 4\n")
    alone, apart = train(recipe, tmp_path / "alone", *data), _weights(folders[1])
    assert all(torch.equal(apart[key], tensor) for key, tensor in _weights(alone.parent).items())
    public = leakage.without_leaks(datasets.read(*data)).of("PublicTest")
    joined, *members = (predictor.load_network(file)[0] for file in (best, *(run / best.name for run in folders)))
    reached = [model_setup.score(network, public, 48)["public_fer2013"] for network in (joined, *members)]
    assert reached[0] >= max(reached[1:])
    assert told[-2].startswith(f"PublicTest: seed_3 {reached[1]:.1%}, seed_4 {reached[2]:.1%}, the mean of their")
    assert told[-1] == f"2 seeds: mean {np.mean(reached[1:]):.1%}, deviation {np.std(reached[1:], ddof=1):.1%}"
    assert "(2 seeds)" in predictor.load_network(best)[1]["source"]
    assert (best.parent / "confusion.html").exists()


def test_the_mean_of_networks_is_that_of_each_weight_and_statistic():
    one, two = (model_setup.make(Recipe(network="rmn_compact"), torch.empty(0)) for _ in range(2))
    for number, network in enumerate((one, two)):
        for name, buffer in network.named_buffers():
            if name.endswith("running_mean"):
                buffer.fill_(number)
    before = {name: value.clone() for name, value in one.state_dict().items()}
    mean = weight_averaging.mean([one, two])
    for name, value in mean.state_dict().items():
        torch.testing.assert_close(value, (before[name] + two.state_dict()[name]) / 2, check_dtype=False)
    assert all(torch.equal(before[name], value) for name, value in one.state_dict().items()), "it stays as it was"
    assert mean.state_dict()["stem.0.bn.running_mean"][0] == 0.5


def test_a_folder_of_another_recipe_is_refused(tmp_path: Path, fer: Path, recipe: Path):
    train(recipe, tmp_path / "run", fer / "fer2013.csv", fer / "fer2013new.csv", last_epoch=0)
    recipe.write_text(TINY + "rate = 0.1\n")
    with pytest.raises(PlanError, match="holds a run of another recipe"):
        train(recipe, tmp_path / "run", fer / "fer2013.csv", fer / "fer2013new.csv", last_epoch=0)


def test_a_run_that_cannot_be_gone_on_with_or_written_is_refused(tmp_path: Path, fer: Path, recipe: Path):
    data = fer / "fer2013.csv", fer / "fer2013new.csv"
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OutputError, match=r"cannot be written: .*choose another folder as --out"):
        train(recipe, tmp_path / "file" / "run", *data)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "state.pt").write_bytes(b"half a file")
    with pytest.raises(PlanError, match=r"state\.pt cannot be gone on with; delete it"):
        train(recipe, tmp_path / "run", *data)


def test_what_a_recipe_starts_from_must_be_of_its_layout(tmp_path: Path, fer: Path, recipe: Path):
    data = fer / "fer2013.csv", fer / "fer2013new.csv"
    recipe.write_text(TINY.replace("rmn_compact", "rmn_face").replace("48", "56"))
    other = train(recipe, tmp_path / "other", *data, last_epoch=1)
    recipe.write_text(TINY + f"start = {str(other)!r}\n")
    with pytest.raises(WeightsError, match="is no rmn_compact with 15 labels to start from"):
        train(recipe, tmp_path / "a", *data)
    recipe.write_text(f"network = 'rmn_face'\nbatch = 14\nsides = [[0, 64]]\ntrunk = {str(other)!r}\n")
    with pytest.raises(WeightsError, match=r"no face recognition trunk as face_identity: blocks\.0.+ is absent"):
        train(recipe, tmp_path / "b", *data)
    recipe.write_text(f"network = 'rmn_face'\nbatch = 14\nsides = [[0, 64]]\nstart = {str(other)!r}\ntrunk = ''\n")
    best = train(recipe, tmp_path / "c", *data, last_epoch=1)
    assert f"weights {weight_files.sha256_of(other)[:12]}" == registry.describe(best)["started_from"]


def test_a_share_of_publictest_is_learned_and_weights_that_know_it_teach_no_run_that_does_not(
    tmp_path: Path, fer: Path, recipe: Path
):
    data = fer / "fer2013.csv", fer / "fer2013new.csv"
    recipe.write_text(TINY + "public = 0.5\n")
    best = train(recipe, tmp_path / "run", *data, last_epoch=1)
    described = registry.describe(best)
    assert described["public"] == "0.5"
    assert described["trained_on"].startswith("FER2013 Training and 50% of PublicTest, without the photographs of its")
    for key in (f"start = {str(best)!r}\n", f"follow = 0.5\nteachers = [{str(best)!r}]\n"):
        recipe.write_text(key + TINY)
        with pytest.raises(PlanError, match=r"has learned 50% of PublicTest, which would select; set public = 0\.5"):
            train(recipe, tmp_path / key[:5], *data)


@pytest.mark.parametrize(("public", "epoch", "name"), [("0.0", 1, "seed_0"), ("0.5", 2, "the mean of their weights")])
def test_what_is_left_of_publictest_chooses_neither_epoch_nor_seed(
    tmp_path: Path, fer: Path, recipe: Path, monkeypatch: pytest.MonkeyPatch, public: str, epoch: int, name: str
):
    recipe.write_text(TINY + f"seeds = 2\npublic = {public}\n")
    reached = iter([0.9, 0.1] * 2 + [0.9, 0.2, 0.3])  # epochs of one seed and of the other; the seeds and their mean
    seen: list[dict[str, torch.Tensor]] = []

    def score(network: ExpressionNetwork, *_: object) -> dict[str, float]:
        seen.append({key: tensor.clone() for key, tensor in network.named_parameters()})
        return {"public_fer2013": next(reached)}

    monkeypatch.setattr(model_setup, "score", score)
    best = train(recipe, tmp_path / "run", fer / "fer2013.csv", fer / "fer2013new.csv")
    kept = dict(predictor.load_network(tmp_path / "run" / "seed_0" / best.name)[0].named_parameters())
    assert all(torch.equal(seen[epoch - 1][key].half(), tensor.half()) for key, tensor in kept.items())
    assert registry.describe(best)["source"] == f"scenefer train, {name} (2 seeds)"


def test_weights_say_what_they_were_learned_from(tmp_path: Path, fer: Path, recipe: Path):
    recipe.write_text(TINY + "votes = 0.0\n")
    described = registry.describe(train(recipe, tmp_path / "run", fer / "fer2013.csv", last_epoch=1))
    assert "FER+" not in described["trained_on"] + described["licence"]
    assert described["started_from"] == "from scratch"


def test_pictures_that_are_not_framed_or_show_contempt_are_not_learned_from(tmp_path: Path, fer: Path, recipe: Path):
    from PIL import Image

    recipe.write_text(TINY + "votes = 0.0\n")
    faces = datasets.read(fer / "fer2013.csv")
    for number, (picture, split) in enumerate(zip(faces.pictures, faces.split, strict=True)):
        for word in ("contempt", "happy"):
            folder = tmp_path / "set" / split / word
            folder.mkdir(parents=True, exist_ok=True)
            shown = picture if word == "happy" else picture[::-1]
            Image.fromarray(shown).save(folder / f"{number}.png")
    told: list[str] = []
    best = train(recipe, tmp_path / "run", tmp_path / "set", last_epoch=1, tell=told.append)
    assert best.exists()
    assert "Training: 84 pictures: angry 0, disgust 0, fear 0, happy 42" in told[0]
    Image.new("RGB", (60, 60)).save(tmp_path / "set" / "Training" / "happy" / "large.png")
    with pytest.raises(SceneferError, match="pictures are not all 48×48"):
        train(recipe, tmp_path / "other", tmp_path / "set")


def test_the_rate_falls_on_a_plateau_and_the_run_ends_where_patience_does(
    tmp_path: Path, fer: Path, recipe: Path, monkeypatch: pytest.MonkeyPatch
):
    """As the authors of RMN count: two epochs without gain are borne, at the third the rate is divided by 10."""
    plateau = (
        'schedule = "plateau"\noptimiser = "radam"\nclass_weights = true\nrate = 1e-6\npatience = 2\nstop_after = 4\n'
    )
    recipe.write_text(TINY.replace("epochs = 2", "epochs = 20") + plateau)
    scores = iter([0.3, 0.4, 0.4, 0.39, 0.4, 0.1])
    monkeypatch.setattr(model_setup, "score", lambda *_: {"public_fer2013": next(scores)})
    train(recipe, tmp_path / "run", fer / "fer2013.csv", fer / "fer2013new.csv")
    rows = pd.read_parquet(tmp_path / "run" / "metrics.parquet")
    assert rows["rate"].tolist() == pytest.approx([1e-6] * 5 + [1e-7])
    assert next(scores, None) is None, "all six epochs ran, and no more"


def test_class_weights_go_by_the_inverse_root_of_the_counts(fer: Path):
    faces = datasets.read(fer / "fer2013.csv")
    rows = np.concatenate([np.flatnonzero(faces.labels == 0)[:8], np.flatnonzero(faces.labels == 1)[:2]])
    weights = objective.examples(faces.take(rows), Recipe(votes=0.0, class_weights="root")).weights
    assert weights.mean() == pytest.approx(1)
    assert weights[-1] / weights[0] == pytest.approx(2)
    inverse = objective.examples(faces.take(rows), Recipe(votes=0.0, class_weights="inverse")).weights
    assert inverse[-1] / inverse[0] == pytest.approx(4), "largest count / count"


def test_mixup_blends_the_share_of_the_pictures_that_it_is_told(fer: Path):
    batch = objective.examples(datasets.read(fer / "fer2013.csv"), Recipe(votes=0.0, smoothing=0.0))
    batch = batch.take(torch.arange(70).repeat(10))._replace(pictures=torch.rand(700, 1, 8, 8))
    blended = objective.mixed(batch, 5.0, torch.Generator().manual_seed(0), 0.25)
    touched = (blended.pictures != batch.pictures).flatten(1).any(1).float().mean()
    assert touched == pytest.approx(0.25, abs=0.05)


def test_stage_noise_is_added_while_a_network_learns_and_at_no_other_time():
    settings = Recipe(network="cnn_small", trunk="", sides=((0, 48),), stage_noise=0.5, dropout=0.0)
    network = model_setup.make(settings, torch.zeros(1, 48, 48, dtype=torch.uint8))
    faces = torch.rand(8, 1, 48, 48) * 255
    assert not torch.equal(network.train()(faces), network(faces))
    assert torch.equal(network.eval()(faces), network(faces))


def test_an_unknown_key_names_the_nearest_one(tmp_path: Path):
    (tmp_path / "odd.toml").write_text("epoch = 3\n")
    with pytest.raises(PlanError, match="unknown key 'epoch'; did you mean 'epochs'"):
        read_recipe(tmp_path / "odd.toml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param('epochs = "x"', "epochs must be of type int, not 'x'", id="a word for a number"),
        pytest.param("epochs = 0", "epochs must be a number from 1 on, not 0", id="no epoch"),
        pytest.param("batch = 0", "batch must be a number from 1 on", id="empty batches"),
        pytest.param("sides = []", "sides must be pairs of numbers", id="no side"),
        pytest.param("sides = 96", "sides must be pairs of numbers, not 96", id="a side alone"),
        pytest.param("sides = [[0]]", "sides must be pairs of numbers", id="half a pair"),
        pytest.param("sides = [[5, 96]]", "from epoch 0 on", id="no side at first"),
        pytest.param("sides = [[0, 48]]", "rmn_face reads faces of 56 to 224 px", id="a side that is enlarged"),
        pytest.param(
            'network = "rmn"', r"rmn reads faces of 224 px: sides = \[\[0, 224\]\]", id="another network's side"
        ),
        pytest.param('network = "rnm"', "unknown network 'rnm'; known: .*; did you mean 'rmn'", id="network"),
        pytest.param(
            'optimiser = "adam"',
            "unknown optimiser 'adam'; known: adamw, radam, sgd; did you mean",
            id="optimiser",
        ),
        pytest.param('schedule = "step"', "unknown schedule 'step'; known: cosine, plateau", id="schedule"),
        pytest.param("after = 3", "after must be of type str", id="a number for a name"),
        pytest.param('after = "nothing"', "there is no recipe 'nothing'", id="after nothing"),
        pytest.param("follow = 0.5", "teachers and follow go together", id="nobody to follow"),
        pytest.param("views = 2\nmixup = 0.2", "views and mixup do not go together", id="views blended"),
        pytest.param("public = 0.5\nstop_after = 2", "public goes with neither", id="patience by too few pictures"),
        pytest.param("public = 0.5\nschedule = 'plateau'", "public goes with neither", id="a plateau of too few"),
        pytest.param("views = 0", "views must be a number from 1 on", id="no view"),
        pytest.param("network = 'rmn_compact'\nfrozen = 1", "rmn_face and rmn_lite have some", id="nothing to freeze"),
        pytest.param("network = 'rmn_pair'", "rmn_pair does not learn itself", id="a pair is made, not learned"),
        pytest.param("network = 'rmn_lite'\npair = true", "of the recipe that it comes 'after'", id="half a pair"),
        pytest.param("pair = true\nafter = 'smoke'", "a pair is an rmn_lite", id="a pair of one kind"),
        pytest.param("teachers = ['start']\nfollow = 0.5", "set 'start' or 'after'", id="a teacher that is not there"),
        pytest.param("seeds = 0", "seeds must be a number from 1 on", id="no seed"),
        pytest.param("teachers = ['rmn_compact']", "teachers and follow go together", id="not followed"),
        pytest.param("teachers = 'rmn_compact'", "teachers must be a list of names", id="a teacher alone"),
        pytest.param("class_weights = 'none'", 'class_weights must be "root" or "inverse"', id="weights by nothing"),
        pytest.param("stage_noise = 0.1", "noise between stages is for", id="noise in our own networks"),
        pytest.param("dropout = 1.5", "dropout must be between 0 and 1", id="share"),
        pytest.param("augment = 3", r"augment must be a section: \[augment\]", id="no section"),
        pytest.param("[augment]\nscale = 3", "scale must be pairs of numbers", id="scale alone"),
        pytest.param("[augment]\nscale = [0.0, 1.0]", "scale must be between 0.1", id="scale of nothing"),
        pytest.param("[augment]\nflip = 2.0", "flip must be between 0 and 1", id="probability"),
        pytest.param("[augment]\nblurr = 0.1", "unknown key 'blurr'; did you mean 'blur'", id="unknown change"),
        pytest.param("# \udcff", "cannot be read as TOML", id="no UTF-8"),
    ],
)
def test_a_value_that_no_run_could_work_with_is_refused_before_the_run(tmp_path: Path, text: str, said: str):
    (tmp_path / "odd.toml").write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(PlanError, match=said) as refusal:
        read_recipe(tmp_path / "odd.toml")
    assert "\n" not in str(refusal.value)


def test_recipes_that_come_after_each_other_are_refused(tmp_path: Path):
    one, two = tmp_path / "one.toml", tmp_path / "two.toml"
    one.write_text(f"after = {str(two)!r}\n")
    two.write_text(f"after = {str(one)!r}\n")
    with pytest.raises(PlanError, match=r"one\.toml comes after itself"):
        read_recipe(one)


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_the_recipes_that_ship_can_be_read(path: Path):
    assert read_recipe(path).epochs >= 3


def test_the_rate_warms_up_and_falls_to_nothing():
    cosine = Recipe(schedule="cosine", rate=1.0, warm_up=1.0, epochs=10)
    assert [round(recipes.rate(cosine, epoch, 0), 2) for epoch in (0, 0.5, 5, 10)] == [0.01, 0.51, 0.5, 0]
    plateau = Recipe(schedule="plateau", rate=1.0, warm_up=0.0)
    assert recipes.rate(plateau, 7, 2) == pytest.approx(0.01)


def test_labels_are_smoothed_and_votes_are_shares(fer: Path):
    faces = datasets.read(fer / "fer2013.csv", fer / "fer2013new.csv")
    _, labels, shares, weights, _ = objective.examples(faces, Recipe(smoothing=0.07))
    np.testing.assert_allclose(labels.sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(labels[0].numpy(), [0.94, *[0.01] * 6], atol=1e-6)
    assert shares[0].numpy() == pytest.approx([0.8, 0, 0, 0, 0, 0, 0, 0.2])
    assert weights.tolist() == [1.0] * 70


def test_what_voters_let_one_expect_is_what_annotators_gave_faces_of_such_votes():
    votes = np.zeros((300, 10), np.float32)
    votes[:200, 3] = 10  # all say happy: all labels do
    votes[200:, 4] = votes[200:, 6] = 5  # half say sad, half neutral: three labels of four say sad
    labels = np.repeat([3, 4, 6], [200, 75, 25])
    found = objective.expected(votes, labels)
    assert torch.allclose(found.sum(dim=1), torch.ones(300))
    assert found[0, 3] > 0.99
    assert found[250, 4] == pytest.approx(0.75, abs=0.02)
    assert found[250, 6] == pytest.approx(0.25, abs=0.02)


def test_softened_labels_lie_between_the_label_and_what_voters_let_one_expect(fer: Path):
    faces = datasets.read(fer / "fer2013.csv", fer / "fer2013new.csv")
    assert faces.votes is not None
    hard = objective.examples(faces, Recipe(smoothing=0.0)).labels
    soft = objective.examples(faces, Recipe(smoothing=0.0, soften=0.25)).labels
    assert torch.allclose(soft, 0.75 * hard + 0.25 * objective.expected(faces.votes, faces.labels))
    assert not torch.allclose(soft, hard)


def test_a_batch_follows_the_mean_of_its_teachers(fer: Path):
    faces = datasets.read(fer / "fer2013.csv", fer / "fer2013new.csv")
    batch = objective.examples(faces, Recipe()).take(torch.arange(5))
    readings = list(torch.randn(2, 5, 15, generator=torch.Generator().manual_seed(1)))
    mean = [torch.stack([r[:, head].softmax(1) for r in readings]).mean(0) for head in (slice(7), slice(7, 15))]
    half, whole, first_alone = (
        objective.taught(batch, readings, Recipe(follow=follow, votes=votes))
        for follow, votes in ((0.5, 1.0), (1.0, 1.0), (1.0, 0.0))
    )
    torch.testing.assert_close((whole.labels, whole.shares), tuple(mean))
    torch.testing.assert_close(half.labels, (batch.labels + whole.labels) / 2)
    torch.testing.assert_close(half.shares, (batch.shares + whole.shares) / 2)
    assert torch.equal(first_alone.shares, batch.shares)
    assert torch.equal(half.pictures, batch.pictures)


def test_who_follows_a_teacher_alone_learns_nothing_of_the_labels(tmp_path: Path, fer: Path, recipe: Path):
    data = fer / "fer2013.csv", fer / "fer2013new.csv"
    teacher = train(recipe, tmp_path / "teacher", *data, last_epoch=1)
    learned = []
    for smoothing in (0.0, 0.5):
        recipe.write_text(TINY + f"smoothing = {smoothing}\nfollow = 1.0\nteachers = [{str(teacher)!r}]\n")
        train(recipe, tmp_path / f"pupil {smoothing}", *data)
        learned.append(_weights(tmp_path / f"pupil {smoothing}"))
    assert all(torch.equal(learned[0][key], learned[1][key]) for key in learned[0])
    recipe.write_text(TINY + f"follow = 1.0\nteachers = ['start']\nstart = {str(teacher)!r}\nrate = 0.0\n")
    started = registry.describe(train(recipe, tmp_path / "pupil of itself", *data, last_epoch=1))["started_from"]
    assert started == "; taught by ".join([f"weights {weight_files.sha256_of(teacher)[:12]}"] * 2)
    described = registry.describe(tmp_path / "pupil 0.0" / "best.safetensors")
    assert described["started_from"] == f"from scratch; taught by weights {weight_files.sha256_of(teacher)[:12]}"


def test_views_of_a_picture_are_taught_what_is_read_in_them_all(fer: Path):
    faces = datasets.read(fer / "fer2013.csv", fer / "fer2013new.csv")
    batch = objective.examples(faces, Recipe()).take(torch.tensor([3, 3, 8, 8]))
    reading = torch.randn(4, 15, generator=torch.Generator().manual_seed(1))
    taught = objective.taught(batch, [reading], Recipe(follow=1.0, views=2))
    read = reading[:, :7].softmax(1)
    torch.testing.assert_close(taught.labels[0], (read[0] + read[1]) / 2)
    torch.testing.assert_close(taught.labels[3], (read[2] + read[3]) / 2)
    torch.testing.assert_close(taught.labels[[0, 2]], taught.labels[[1, 3]])
    torch.testing.assert_close(taught.shares[0], reading[:2, 7:].softmax(1).mean(0))


def test_every_other_view_is_mirrored_and_changed_in_its_own_way(
    tmp_path: Path, fer: Path, recipe: Path, monkeypatch: pytest.MonkeyPatch
):
    still = "[augment]\n" + "".join(f"{name} = 0.0\n" for name in STILL) + "scale = [1.0, 1.0]\n"
    seen: list[torch.Tensor] = []

    def note(network: torch.nn.Module, inputs: tuple[torch.Tensor]) -> None:
        if network.training:
            seen.append(inputs[0])

    monkeypatch.setattr(model_setup, "begin", lambda network, _: network.train().register_forward_pre_hook(note))
    for name, augment in (("still", still), ("moved", still.replace("shift = 0.0", "shift = 0.05"))):
        recipe.write_text(TINY.replace("mixup = 0.2", "views = 3") + augment)
        train(recipe, tmp_path / name, fer / "fer2013.csv", fer / "fer2013new.csv", last_epoch=1)
    still_views, moved_views = (batch.unflatten(0, (14, 3)) for batch in (seen[0], seen[3]))
    torch.testing.assert_close(still_views[:, 1], still_views[:, 0].flip(3))
    torch.testing.assert_close(still_views[:, 2], still_views[:, 0])
    assert len(torch.unique(still_views[:, 0].flatten(1), dim=0)) == 14
    assert not torch.isclose(moved_views[:, 2], moved_views[:, 0]).flatten(1).all(1).any()


def test_frozen_groups_stay_as_they_are_and_the_others_learn(tmp_path: Path, fer: Path, recipe: Path):
    data = fer / "fer2013.csv", fer / "fer2013new.csv"
    recipe.write_text(TINY.replace("rmn_compact", "rmn_face").replace("48", "56").replace("mixup = 0.2", "frozen = 2"))
    torch.manual_seed(0)  # a run draws its first weights by its seed
    untouched = model_setup.make(read_recipe(recipe), torch.zeros(1, 48, 48, dtype=torch.uint8)).state_dict()
    train(recipe, tmp_path / "run", *data)
    learned = _weights(tmp_path / "run")
    kept = {key for key in learned if torch.equal(learned[key], untouched[key])}
    frozen = ("stem.", "groups.0.", "groups.1.", "masks.0.", "masks.1.")
    assert {key for key in learned if key.startswith(frozen)} <= kept
    assert not {key for key in kept if key.startswith(("groups.2.", "groups.3.", "masks.3.", "head."))}


def test_teachers_must_have_what_they_teach(tmp_path: Path, fer: Path, recipe: Path):
    alone = tmp_path / "alone.toml"
    alone.write_text(TINY + "votes = 0.0\n")
    teacher = train(alone, tmp_path / "alone", fer / "fer2013.csv", last_epoch=1)
    data = fer / "fer2013.csv", fer / "fer2013new.csv"
    recipe.write_text(TINY + f"follow = 0.5\nteachers = [{str(teacher)!r}]\n")
    with pytest.raises(WeightsError, match=r"best\.safetensors cannot teach: it has no head for the FER\+ votes"):
        train(recipe, tmp_path / "a", *data)
    recipe.write_text(TINY + "follow = 0.5\nteachers = ['rmn_fase']\n")
    with pytest.raises(WeightsError, match=r"did you mean 'rmn_face'\?"):
        train(recipe, tmp_path / "b", *data)


def test_a_recipe_that_learns_from_votes_refuses_faces_without(tmp_path: Path, fer: Path, recipe: Path):
    with pytest.raises(PlanError, match=r"fer2013 has none: give fer2013new\.csv .* as --votes"):
        train(recipe, tmp_path / "run", fer / "fer2013.csv")
    assert not (tmp_path / "run" / "state.pt").exists()


@pytest.mark.parametrize(("name", "side"), [("cnn_small", 48), ("ghostface", 64), ("mobilenet_v2", 48)])
def test_a_published_network_is_trained_and_its_weights_read_faces(tmp_path: Path, fer: Path, name: str, side: int):
    recipe = tmp_path / "published.toml"
    recipe.write_text(f'network = "{name}"\nvotes = 0.0\nepochs = 1\nbatch = 14\nsides = [[0, {side}]]\n')
    best = train(recipe, tmp_path / "run", fer / "fer2013.csv")
    described = registry.describe(best)
    assert (described["architecture"], described["side"], described["started_from"]) == (
        name,
        str(side),
        "from scratch",
    )
    picture = np.asarray(Image.open(selftest.PORTRAIT).convert("RGB"))
    (face,) = scenefer.read_faces([picture], best).to_dict("records")
    assert sum(face[emotion] for emotion in EMOTIONS) == pytest.approx(1, abs=1e-4)

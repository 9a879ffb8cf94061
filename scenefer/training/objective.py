"""The training objective: targets from labels and votes, distillation, mixup, and the loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional

from scenefer.core.errors import PlanError
from scenefer.core.schema import EMOTIONS
from scenefer.training import ferplus, labelled_faces
from scenefer.training.recipes import Recipe


class Examples(NamedTuple):
    """Faces and their targets: a whole training set, or a batch."""

    pictures: Tensor  # (N, S, S) uint8, S = 48 for FER2013; in a batch (B, 1, side, side) float, augmented
    labels: Tensor  # (N, 7): targets of the FER2013 head
    shares: Tensor  # (N, 8): targets of the FER+ head, from the votes; zeros if there are no usable votes
    weights: Tensor  # (N,): weights of the FER2013 head's loss
    others: Tensor  # (N, 7 per further data set): its head's targets times the row's weight; zeros in other sets' rows

    def take(self, rows: Tensor) -> Examples:
        """Select rows by index."""
        return Examples(*(part[rows] for part in self))

    def mirrored(self, views: int) -> Examples:
        """Mirror every second view of each picture; the ``views`` of a picture are consecutive rows."""
        pictures = self.pictures.clone()
        for view in range(1, views, 2):
            pictures[view::views] = pictures[view::views].flip(3)
        return self._replace(pictures=pictures)


def examples(faces: labelled_faces.Faces, settings: Recipe) -> Examples:
    """Make the targets of a training set.

    Raises:
        PlanError: the recipe needs FER+ votes, and there are none.
    """
    if faces.votes is None and (settings.votes or settings.soften):
        raise PlanError(
            f"the recipe learns from the FER+ votes too, and {faces.name} has none: give fer2013new.csv "
            "(github.com/microsoft/FERPlus) as --votes, or take the recipe rmn_face_fer"
        )
    labels = _smoothed(faces.labels, settings)
    votes = np.zeros((len(faces), 10), np.float32) if faces.votes is None else faces.votes
    if settings.soften:
        labels = (1 - settings.soften) * labels + settings.soften * expected(votes, faces.labels)
    weights = torch.ones(len(faces))
    if settings.class_weights:
        weights = _by_counts(faces.labels, 0.5 if settings.class_weights == "root" else 1.0)
    pictures = torch.from_numpy(np.asarray(faces.pictures))
    others = torch.zeros(len(faces), len(settings.also) * len(EMOTIONS))
    return Examples(pictures, labels, torch.from_numpy(ferplus.targets(votes)), weights, others)


def examples_beside(faces: labelled_faces.Faces, settings: Recipe) -> Examples:
    """Make the targets of a further data set of ``settings.also``, for its own head, with weights by class counts.

    The other heads learn from its faces only what teachers read in them, if there are teachers.

    Args:
        faces: (N, S, S) grey, framed as FER2013 (``labelled_faces.framed``).
    """
    n, seven = len(faces), len(EMOTIONS)
    others = torch.zeros(n, len(settings.also), seven)
    others[:, settings.also.index(faces.name)] = _smoothed(faces.labels, settings) * _by_counts(faces.labels)[:, None]
    pictures = torch.from_numpy(np.asarray(faces.pictures))
    return Examples(pictures, torch.zeros(n, seven), torch.zeros(n, seven + 1), torch.ones(n), others.flatten(1))


def _smoothed(labels: np.ndarray, settings: Recipe) -> Tensor:
    sure = functional.one_hot(torch.from_numpy(labels), len(EMOTIONS)).float()
    return (1 - settings.smoothing) * sure + settings.smoothing / len(EMOTIONS)


def _by_counts(labels: np.ndarray, power: float = 0.5) -> Tensor:
    """Weigh rows by (largest count / count of their class) ** power, 1 in the mean."""
    counts = np.bincount(labels, minlength=len(EMOTIONS)).clip(1)
    weights = torch.from_numpy((counts.max() / counts)[labels] ** power).float()
    return weights / weights.mean()


def expected(votes: np.ndarray, labels: np.ndarray) -> Tensor:
    """Estimate the probability of each FER2013 label for a face with these votes: (N, 7) float32.

    This is a multinomial regression of the labels (N,) on the votes (N, 10) and their square roots, fitted to the same
    rows. A label is the choice of one person, and in a third of the rows another person would choose differently; the
    estimate is the distribution of these choices.
    """
    shares = torch.from_numpy(np.asarray(votes, np.float32)) / 10
    seen = torch.cat([shares, torch.sqrt(shares), torch.ones(len(shares), 1)], dim=1)  # (N, 21)
    given = torch.from_numpy(np.asarray(labels, np.int64))
    weight = torch.zeros(seen.shape[1], len(EMOTIONS), requires_grad=True)
    search = torch.optim.LBFGS([weight], max_iter=200, line_search_fn="strong_wolfe")

    def distance() -> Tensor:
        search.zero_grad()
        found = functional.cross_entropy(seen @ weight, given) + 1e-5 * weight.square().sum()
        found.backward()
        return found

    search.step(distance)  # pyright: ignore[reportArgumentType] - the stub wants a float
    return torch.softmax(seen @ weight.detach(), dim=1)


def taught(batch: Examples, readings: Sequence[Tensor], settings: Recipe) -> Examples:
    """Mix the teachers' predictions for the pictures of a batch into both heads' targets (knowledge distillation).

    Hinton, Vinyals and Dean, arXiv:1503.02531; teacher and student see the same view, as in Beyer et al., CVPR 2022. If
    a batch has several views of a picture, the predictions for them are averaged, so each view learns from all views.

    Args:
        readings: logits (B, 7), (B, 15) or more of each teacher; the teachers' probabilities are averaged.
    """
    seven = len(EMOTIONS)

    def mixed_in(targets: Tensor, head: slice) -> Tensor:
        read = torch.stack([logits[:, head].float().softmax(1) for logits in readings]).mean(0)
        read = read.unflatten(0, (-1, settings.views)).mean(1).repeat_interleave(settings.views, dim=0)
        return torch.lerp(targets, read, settings.follow)

    batch = batch._replace(labels=mixed_in(batch.labels, slice(seven)))
    voted = slice(seven, 2 * seven + 1)
    return batch._replace(shares=mixed_in(batch.shares, voted)) if settings.votes else batch


def loss(logits: Tensor, batch: Examples, settings: Recipe) -> Tensor:
    """Sum the cross-entropies of all heads; logits (B, L) float32. Rows without targets do not contribute to a head."""
    seven, (_, last) = len(EMOTIONS), settings.heads["ferplus" if settings.votes else "fer2013"]
    found = -(batch.weights * (batch.labels * functional.log_softmax(logits[:, :seven], 1)).sum(1)).mean()
    if settings.votes:
        found = found - settings.votes * (batch.shares * functional.log_softmax(logits[:, seven:last], 1)).sum(1).mean()
    if settings.also:
        read = functional.log_softmax(logits[:, last:].unflatten(1, (-1, seven)), 2).flatten(1)
        found = found - (batch.others * read).sum(1).mean()
    return found


def mixed(batch: Examples, alpha: float, generator: Generator, share: float = 1.0) -> Examples:
    """Blend a share of the pictures and their targets with another's (Zhang et al., ICLR 2018)."""
    draws = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
    blend = torch.from_numpy(draws.beta(alpha, alpha, len(batch.weights))).float()
    if share < 1:
        blend = torch.where(torch.rand(len(blend), generator=generator) < share, blend, 1.0)
    other = torch.randperm(len(blend), generator=generator)

    def between(values: Tensor) -> Tensor:
        a = blend.reshape(-1, *[1] * (values.dim() - 1))
        return a * values + (1 - a) * values[other]

    return Examples(*map(between, batch))

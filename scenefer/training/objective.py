"""What a network is taught: targets from labels and votes, their mixture, and the loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional

from scenefer.errors import PlanError
from scenefer.schema import EMOTIONS
from scenefer.training import datasets, ferplus
from scenefer.training.recipes import Recipe


class Lesson(NamedTuple):
    """Faces and what they are to be read as: all rows of a training set, or a batch of them."""

    pictures: Tensor  # (N, 48, 48) uint8; in a batch (B, 1, side, side) float, changed by augmentation
    labels: Tensor  # (N, 7): the FER2013 head's targets
    shares: Tensor  # (N, 8): the FER+ head's, of the votes; zeros where there are no usable ones
    weights: Tensor  # (N,)

    def take(self, rows: Tensor) -> Lesson:
        """Choose rows by number."""
        return Lesson(*(part[rows] for part in self))

    def mirrored(self, views: int) -> Lesson:
        """Mirror every other view of each picture; ``views`` of it follow each other."""
        pictures = self.pictures.clone()
        for view in range(1, views, 2):
            pictures[view::views] = pictures[view::views].flip(3)
        return self._replace(pictures=pictures)


def lesson(faces: datasets.Faces, settings: Recipe) -> Lesson:
    """Make the targets of a training set.

    Raises:
        PlanError: the recipe learns from FER+ votes, and there are none.
    """
    if faces.votes is None and (settings.votes or settings.soften):
        raise PlanError(
            f"the recipe learns from the FER+ votes too, and {faces.name} has none: give fer2013new.csv "
            "(github.com/microsoft/FERPlus) as --votes, or take the recipe rmn_compact_fer"
        )
    labels = functional.one_hot(torch.from_numpy(faces.labels), len(EMOTIONS)).float()
    labels = (1 - settings.smoothing) * labels + settings.smoothing / len(EMOTIONS)
    votes = np.zeros((len(faces), 10), np.float32) if faces.votes is None else faces.votes
    if settings.soften:
        labels = (1 - settings.soften) * labels + settings.soften * expected(votes, faces.labels)
    weights = torch.ones(len(faces))
    if settings.class_weights:
        counts = np.bincount(faces.labels, minlength=len(EMOTIONS)).clip(1)
        weights = torch.from_numpy((1 / np.sqrt(counts))[faces.labels]).float()
        weights = weights / weights.mean()
    pictures = torch.from_numpy(np.asarray(faces.pictures))
    return Lesson(pictures, labels, torch.from_numpy(ferplus.targets(votes)), weights)


def expected(votes: np.ndarray, labels: np.ndarray) -> Tensor:
    """Tell which label an annotator of FER2013 gives a face that got these votes, as a probability: (N, 7) float32.

    A multinomial regression of the labels (N,) on the votes (N, 10) and their roots, fitted to the rows themselves.
    A label is one person's choice, and another's in a third of the rows; this is what people like them choose.
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


def taught(batch: Lesson, readings: Sequence[Tensor], settings: Recipe) -> Lesson:
    """Mix what teachers read in the very pictures of a batch into both heads' targets.

    Hinton, Vinyals and Dean, arXiv:1503.02531; that both see the same view: Beyer et al., CVPR 2022. Where a batch has
    several views of a picture, what is read in them is averaged: one view learns what several know.

    Args:
        readings: logits (B, 7) or (B, 15) of each teacher, whose probabilities are averaged.
    """
    seven = len(EMOTIONS)

    def mixed_in(targets: Tensor, head: slice) -> Tensor:
        read = torch.stack([logits[:, head].float().softmax(1) for logits in readings]).mean(0)
        read = read.unflatten(0, (-1, settings.views)).mean(1).repeat_interleave(settings.views, dim=0)
        return torch.lerp(targets, read, settings.follow)

    batch = batch._replace(labels=mixed_in(batch.labels, slice(seven)))
    return batch._replace(shares=mixed_in(batch.shares, slice(seven, None))) if settings.votes else batch


def loss(logits: Tensor, batch: Lesson, settings: Recipe) -> Tensor:
    """Add the heads' cross-entropies; logits (B, 7) or (B, 15) float32."""
    seven = len(EMOTIONS)
    found = -(batch.weights * (batch.labels * functional.log_softmax(logits[:, :seven], 1)).sum(1)).mean()
    if settings.votes:
        # Rows without usable votes have shares of 0 and teach the second head nothing.
        found = found - settings.votes * (batch.shares * functional.log_softmax(logits[:, seven:], 1)).sum(1).mean()
    return found


def mixed(batch: Lesson, alpha: float, generator: Generator) -> Lesson:
    """Blend each picture and its targets with another's (Zhang et al., ICLR 2018)."""
    draws = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
    blend = torch.from_numpy(draws.beta(alpha, alpha, len(batch.weights))).float()
    other = torch.randperm(len(blend), generator=generator)

    def between(values: Tensor) -> Tensor:
        a = blend.reshape(-1, *[1] * (values.dim() - 1))
        return a * values + (1 - a) * values[other]

    return Lesson(*map(between, batch))

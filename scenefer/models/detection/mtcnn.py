"""MTCNN: finds faces with a cascade of three small networks on an image pyramid.

Zhang, Zhang, Li, Qiao, "Joint Face Detection and Alignment using Multitask Cascaded Convolutional Networks", IEEE SPL
2016, with the weights of facenet-pytorch. The proposal network P scans every position of every pyramid level, the
refinement network R checks P's proposals, and the output network O checks what R keeps and also finds the landmarks.

``EXACT`` gives the same faces as ``facenet_pytorch.MTCNN``, including its rounding. The implementation is faster but
equivalent: levels and crops come from one summed-area table per picture; channels are last in memory and padded to
multiples of 16, so that every loop is vectorised; pictures are batched; non-maximum suppression works on an overlap
matrix. ``FAST`` also scans fewer positions of the large levels, computes each level from the previous one, and passes
on fewer proposals: a higher minimum score, and stricter suppression of overlaps. bfloat16 does not help: the
convolutions gain what PReLU, many times slower in bfloat16, loses.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple

import cv2
import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from scenefer.core.errors import WeightsError
from scenefer.models import Detections
from scenefer.models.detection.nms import suppress
from scenefer.models.detection.summed_area import cut, level, summed_area, touching

THRESHOLDS = (0.7, 0.7)  # minimum scores to pass R and O
FACTOR = 0.709  # side of a level, as a multiple of the previous level's: half the area
BATCH = 16  # pictures processed together
CHUNK = 1 << 15  # pixels per forward pass, so that activations fit the processor's cache
BLOCK = 256  # boxes of a picture cropped together
FIELD, STRIDE = 12, 2  # px: P's receptive field, and its stride


class Search(NamedTuple):
    """How thoroughly a picture is searched."""

    n_coarse: int  # number of largest levels in which P scans only every other position
    chained: bool  # compute a level from the previous level, not from the picture
    overlaps: tuple[float, float]  # NMS thresholds (intersection over union) for proposals and for refined boxes
    least: float  # minimum score to pass P


EXACT = Search(n_coarse=0, chained=False, overlaps=(0.7, 0.7), least=0.6)
FAST = Search(n_coarse=4, chained=True, overlaps=(0.5, 0.5), least=0.75)


class Mtcnn:
    """The cascade, as a ``FaceDetector``.

    Args:
        weights: tensors by name: ``pnet.conv1.weight`` and so on.
        smallest_face: side of the smallest face to find, in pixels of the picture.
    """

    name = "mtcnn"

    def __init__(
        self,
        weights: dict[str, Tensor],
        *,
        smallest_face: float,
        search: Search = FAST,
        device: str = "cpu",
    ) -> None:
        self.smallest_face = smallest_face
        self.search = search
        self.device = torch.device(device)
        self.proposing = Network(weights, "pnet", pools=(2, 0, 0), heads=("conv4_1", "conv4_2"))
        self.refining = Network(weights, "rnet", pools=(3, 3, 0), heads=("dense5_1", "dense5_2"), dense="dense4")
        heads = ("dense6_1", "dense6_2", "dense6_3")
        self.output = Network(weights, "onet", pools=(3, 3, 2, 0), heads=heads, dense="dense5")

    def detect(self, pictures: Sequence[np.ndarray]) -> list[Detections]:
        """Find the faces in every picture; see ``FaceDetector.detect``.

        Boxes and landmarks are not clipped: they may extend beyond the picture by a part of the face's size.
        """
        found: list[Detections] = []
        for start in range(0, len(pictures), BATCH):
            # Add a fourth channel, ignored by the networks: pixels of 4 or 16 bytes are faster than those of 3 or 12.
            found += self._detect(
                [cv2.cvtColor(picture, cv2.COLOR_RGB2RGBA) for picture in pictures[start : start + BATCH]]
            )
        return found

    def _detect(self, pictures: list[np.ndarray]) -> list[Detections]:
        among_proposals, among_refined = self.search.overlaps
        tables = [summed_area(picture) for picture in pictures]
        proposals = [_proposed(rows, among_proposals) for rows in self._propose(pictures, tables)]
        boxes, answers = self._look(self.refining, tables, proposals, side=24)
        refined = [_refined(*of_picture, among_refined) for of_picture in zip(boxes, answers, strict=True)]
        boxes, answers = self._look(self.output, tables, refined, side=48)
        return [_faces(*of_picture) for of_picture in zip(boxes, answers, strict=True)]

    def _propose(self, pictures: list[np.ndarray], tables: list[np.ndarray]) -> list[np.ndarray]:
        """Run P on every level: for each picture (n, 10) of box, P's output, number of the level."""
        levels = list(pictures)
        proposals: list[list[np.ndarray]] = [[np.empty((0, 10), np.float32)] for _ in pictures]
        for number, scale, members in self._levels(pictures):
            for k in members:
                height, width = pictures[k].shape[:2]
                if self.search.chained:  # rounded sizes: exact halves are averaged fifteen times as fast
                    size = round(width * scale), round(height * scale)
                    levels[k] = cv2.resize(levels[k], size, interpolation=cv2.INTER_AREA)
                else:
                    levels[k] = level(tables[k], int(height * scale + 1), int(width * scale + 1))
            height, width = levels[members[0]].shape[:2]
            step = 2 if number < self.search.n_coarse else 1
            answers = self._run(self.proposing, (levels[k] for k in members), height * width, step)
            picture, row, column = np.nonzero(answers[..., 0] >= self.search.least)
            values = answers[picture, row, column]  # (n, 5)
            corner = np.stack([column, row], axis=1).astype(np.float32) * (STRIDE * step)
            low, high = np.floor((corner + 1) / np.float32(scale)), np.floor((corner + FIELD) / np.float32(scale))
            rows = np.column_stack([low, high, values, np.full(len(values), number)]).astype(np.float32)
            for place, k in enumerate(members):
                proposals[k].append(rows[picture == place])
        return [np.concatenate(rows) for rows in proposals]

    def _levels(self, pictures: list[np.ndarray]) -> Iterator[tuple[int, float, list[int]]]:
        """Yield the pyramid levels of each group of equally large pictures: number from the largest, scale, members."""
        shapes = [picture.shape for picture in pictures]
        for shape in dict.fromkeys(shapes):
            members = [k for k, other in enumerate(shapes) if other == shape]
            scale = FIELD / self.smallest_face
            smaller_side = min(shape[:2]) * scale
            number = 0
            while smaller_side >= FIELD:
                yield number, scale, members
                number += 1
                scale *= FACTOR
                smaller_side *= FACTOR

    def _look(
        self, network: Network, tables: list[np.ndarray], squares: list[np.ndarray], side: int
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Run a network on crops of the squares; return the squares that overlap the picture, and the outputs."""
        squares = [s[touching(s, table)] for s, table in zip(squares, tables, strict=True)]
        crops = (crop for s, table in zip(squares, tables, strict=True) for crop in _crops(table, s, side))
        answers = self._run(network, crops, side * side)
        ends = np.cumsum([len(s) for s in squares])
        return squares, np.split(answers, ends[:-1])

    def _run(self, network: Network, inputs: Iterable[np.ndarray], n_pixels: int, step: int = 1) -> np.ndarray:
        """Run a network in chunks on inputs (H, W, 4), all of the same size with ``n_pixels`` pixels."""
        answers = []
        waiting = iter(inputs)
        with torch.inference_mode():
            while chunk := list(islice(waiting, max(1, CHUNK // n_pixels))):
                batch = torch.from_numpy(np.stack(chunk)).to(self.device).float()
                answers.append(network(batch, step).cpu().numpy())
        return np.concatenate(answers) if answers else np.empty((0, network.n_outputs), np.float32)


class Layer(NamedTuple):
    """A convolution and the slopes of the PReLU that follows it."""

    weight: Tensor
    bias: Tensor
    slope: Tensor
    pool: int = 0  # side of the max pooling that follows, with step 2; 0 = none


class Network:
    """One of the three networks: convolutions, an optional dense layer, and all heads in one matrix.

    Input is (N, H, W, 4) float32, values 0 to 255; the fourth channel is ignored. Output is (N, C), or
    (N, rows, columns, C) without a dense layer: face score, four corrections of the box, landmarks.
    """

    def __init__(
        self,
        weights: dict[str, Tensor],
        name: str,
        *,
        pools: tuple[int, ...],
        heads: tuple[str, ...],
        dense: str = "",
    ) -> None:
        self.convolutions = []
        n_inputs = 4
        for k, pool in enumerate(pools, start=1):
            weight, bias = weights[f"{name}.conv{k}.weight"], weights[f"{name}.conv{k}.bias"]
            if k == 1:  # the networks were trained on (x - 127.5) / 128
                weight = weight / 128
                bias = bias - 127.5 * weight.sum(dim=(1, 2, 3))
            slope = weights[f"{name}.prelu{k}.weight"]
            n_outputs = -(-len(bias) // 16) * 16
            extra = n_outputs - len(bias)
            weight = F.pad(weight, (0, 0, 0, 0, 0, n_inputs - weight.shape[1], 0, extra))
            weight = weight.contiguous(memory_format=torch.channels_last)
            self.convolutions.append(Layer(weight, F.pad(bias, (0, extra)), F.pad(slope, (0, extra)), pool))
            n_inputs = n_outputs
        self.dense = None
        if dense:
            weight = weights[f"{name}.{dense}.weight"]
            side = math.isqrt(weight.shape[1] // n_inputs)
            # stored in the order columns, rows, channels; here channels are last, then columns
            weight = weight.view(-1, side, side, n_inputs).transpose(1, 2).flatten(1).contiguous()
            k = len(pools) + 1
            self.dense = Layer(weight, weights[f"{name}.{dense}.bias"], weights[f"{name}.prelu{k}.weight"])
        weight = torch.cat([weights[f"{name}.{head}.weight"].flatten(1) for head in heads])
        bias = torch.cat([weights[f"{name}.{head}.bias"] for head in heads])
        # softmax of two logits is the sigmoid of their difference
        weight, bias = torch.cat([weight[1:2] - weight[:1], weight[2:]]), torch.cat([bias[1:2] - bias[:1], bias[2:]])
        self.head, self.head_bias = weight, bias
        self.n_outputs = len(bias)

    def __call__(self, pictures: Tensor, step: int = 1) -> Tensor:
        """Compute the output at every ``step``-th row and column."""
        x = pictures.permute(0, 3, 1, 2)
        for k, (weight, bias, slope, pool) in enumerate(self.convolutions, start=1):
            x = F.prelu(F.conv2d(x, weight, bias, stride=step if k == len(self.convolutions) else 1), slope)
            if pool:
                x = F.max_pool2d(x, pool, stride=2, ceil_mode=True)
        x = x.permute(0, 2, 3, 1)
        if self.dense is not None:
            x = F.prelu(F.linear(x.flatten(1), self.dense.weight, self.dense.bias), self.dense.slope)
        x = F.linear(x, self.head, self.head_bias)
        # The sigmoid is needed, not just the logit: in float32 good scores round to exactly 1, and these ties decide
        # which box wins.
        x[..., 0].sigmoid_()
        return x


def _crops(table: np.ndarray, squares: np.ndarray, side: int) -> Iterator[np.ndarray]:
    """Crop squares block by block, because a textured picture can have thousands."""
    for start in range(0, len(squares), BLOCK):
        yield from cut(table, squares[start : start + BLOCK], side)


def _proposed(rows: np.ndarray, overlap: float) -> np.ndarray:
    """Turn proposals (n, 10) (box, score, corrections of its four edges, number of the level) into squares (n, 4)."""
    rows = rows[suppress(rows[:, :4], rows[:, 4], 0.5, groups=rows[:, 9])]
    rows = rows[suppress(rows[:, :4], rows[:, 4], overlap)]
    size = rows[:, 2:4] - rows[:, :2]
    return _squared(rows[:, :4] + rows[:, 5:9] * np.tile(size, 2))


def _refined(squares: np.ndarray, answers: np.ndarray, overlap: float) -> np.ndarray:
    """Turn R's outputs into squares (n, 4): apply threshold, suppression and corrections."""
    passed = answers[:, 0] > THRESHOLDS[0]
    squares, answers = squares[passed], answers[passed]
    kept = suppress(squares, answers[:, 0], overlap)
    return _squared(_corrected(squares[kept], answers[kept, 1:5]))


def _faces(squares: np.ndarray, answers: np.ndarray) -> Detections:
    """Turn O's outputs into faces, the most confident first."""
    passed = answers[:, 0] > THRESHOLDS[1]
    squares, answers = squares[passed], answers[passed]
    size = squares[:, 2:] - squares[:, :2] + 1
    points = answers[:, 5:].reshape(-1, 2, 5).transpose(0, 2, 1)  # stored as five x, then five y
    landmarks = size[:, None] * points + squares[:, None, :2] - 1
    boxes = _corrected(squares, answers[:, 1:5])
    kept = suppress(boxes, answers[:, 0], 0.7, within_smaller=True)
    return Detections(boxes[kept], landmarks[kept], answers[kept, 0])


def _corrected(boxes: np.ndarray, corrections: np.ndarray) -> np.ndarray:
    return boxes + corrections * np.tile(boxes[:, 2:] - boxes[:, :2] + 1, 2)


def _squared(boxes: np.ndarray) -> np.ndarray:
    """Widen boxes to squares of the larger side around their centres."""
    size = boxes[:, 2:] - boxes[:, :2]
    side = size.max(axis=1, keepdims=True, initial=0)
    low = boxes[:, :2] + size * np.float32(0.5) - side * np.float32(0.5)
    return np.concatenate([low, low + side], axis=1)


def _keep_freed_memory() -> None:
    """Make glibc keep up to 64 MiB of freed memory for the next allocation; other C libraries ignore this.

    By default, glibc returns free memory to the system beyond twice the size of the largest mmapped block freed so far,
    which is little. Allocating the activations of one level again then cost 1,700 page faults. Allocating and freeing
    one block just under the maximum that counts (32 MiB), without touching it, raises that threshold.
    https://man7.org/linux/man-pages/man3/mallopt.3.html
    """
    torch.empty((32 << 20) - (64 << 10), dtype=torch.uint8)


def load(path: Path, *, smallest_face: float, device: str = "cpu", pyramid: Literal["fast", "exact"] = "fast") -> Mtcnn:
    """Load the weights and build the cascade.

    Raises:
        WeightsError: the file is damaged or of another layout.
    """
    _keep_freed_memory()
    try:
        weights = {name: tensor.to(device) for name, tensor in load_file(path).items()}
        search = EXACT if pyramid == "exact" else FAST
        return Mtcnn(weights, smallest_face=smallest_face, search=search, device=device)
    except (SafetensorError, OSError, KeyError, RuntimeError) as error:
        raise WeightsError(f"{path} does not hold the weights of MTCNN: {error}") from error

"""MTCNN: faces by a cascade of three small networks over a pyramid of the picture.

Zhang, Zhang, Li, Qiao, "Joint Face Detection and Alignment using Multitask Cascaded Convolutional Networks", IEEE SPL
2016, with the weights of facenet-pytorch. The proposing network P looks at every place of every level of the pyramid,
the refining network R at what P proposes, the output network O at what R keeps; O also finds the landmarks.

``EXACT`` gives the faces of ``facenet_pytorch.MTCNN``, its roundings included. What is done otherwise costs less and
changes nothing: levels and crops come from one summed-area table a picture; channels lie last in memory and are padded
to multiples of 16, so that every loop is a vector loop; pictures share the calls of the networks; boxes are suppressed
by a matrix. ``FAST`` also looks at fewer places and passes on fewer of the boxes that overlap. bfloat16 gains nothing:
half the time goes into PReLU and pooling, which are slower in it.
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

from scenefer.errors import WeightsError
from scenefer.models import Detections

THRESHOLDS = (0.6, 0.7, 0.7)  # scores that a box needs to pass P, R and O
FACTOR = 0.709  # side of a level, as a multiple of the one before: half the area
BATCH = 16  # pictures worked on at once
CHUNK = 1 << 17  # pixels a network is given at once: its activations stay near the processor's cache
BLOCK = 256  # boxes of a picture that are cut out, or compared, at once
FIELD = 12  # px, side of the square that P sees


class Search(NamedTuple):
    """How thoroughly a picture is searched."""

    step: int  # px, from one place of P to the next
    chained: bool  # a level is reduced from the level before, not from the picture
    overlaps: tuple[float, float]  # of two proposals, of two refined boxes that share more of their union one stays


EXACT = Search(step=2, chained=False, overlaps=(0.7, 0.7))
FAST = Search(step=4, chained=True, overlaps=(0.6, 0.5))


class Mtcnn:
    """The cascade, as a ``FaceDetector``.

    Args:
        weights: tensors by name: ``pnet.conv1.weight`` and so on.
        smallest_face: side of the smallest face that is looked for, in pixels of the picture.
    """

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
        self.proposing = Network(
            weights, "pnet", pools=(2, 0, 0), heads=("conv4_1", "conv4_2"), last_step=search.step // 2
        )
        self.refining = Network(weights, "rnet", pools=(3, 3, 0), heads=("dense5_1", "dense5_2"), dense="dense4")
        heads = ("dense6_1", "dense6_2", "dense6_3")
        self.output = Network(weights, "onet", pools=(3, 3, 2, 0), heads=heads, dense="dense5")

    def detect(self, pictures: Sequence[np.ndarray]) -> list[Detections]:
        """Find the faces of every picture; see ``FaceDetector.detect``.

        Boxes and landmarks are not clipped: they may lie outside the picture by a part of the face's size.
        """
        found: list[Detections] = []
        for start in range(0, len(pictures), BATCH):
            # A fourth channel, ignored by the networks: 4 and 16 bytes are moved faster than 3 and 12.
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
        """Look at the places of every level: for each picture (n, 10) of box, P's answer, number of the level."""
        levels = list(pictures)
        proposals: list[list[np.ndarray]] = [[np.empty((0, 10), np.float32)] for _ in pictures]
        for number, (scale, members) in enumerate(self._levels(pictures)):
            for k in members:
                height, width = (int(side * scale + 1) for side in pictures[k].shape[:2])
                if self.search.chained:
                    levels[k] = cv2.resize(levels[k], (width, height), interpolation=cv2.INTER_AREA)
                else:
                    levels[k] = level(tables[k], height, width)
            height, width = levels[members[0]].shape[:2]
            answers = self._run(self.proposing, (levels[k] for k in members), height * width)
            picture, row, column = np.nonzero(answers[..., 0] >= THRESHOLDS[0])
            values = answers[picture, row, column]  # (n, 5)
            corner = np.stack([column, row], axis=1).astype(np.float32) * self.search.step
            low, high = np.floor((corner + 1) / np.float32(scale)), np.floor((corner + FIELD) / np.float32(scale))
            rows = np.column_stack([low, high, values, np.full(len(values), number)]).astype(np.float32)
            for place, k in enumerate(members):
                proposals[k].append(rows[picture == place])
        return [np.concatenate(rows) for rows in proposals]

    def _levels(self, pictures: list[np.ndarray]) -> Iterator[tuple[float, list[int]]]:
        """Give the levels of the pyramids, the largest first: scale, and the pictures, of one size, that have it."""
        shapes = [picture.shape for picture in pictures]
        for shape in dict.fromkeys(shapes):
            members = [k for k, other in enumerate(shapes) if other == shape]
            scale = FIELD / self.smallest_face
            smaller_side = min(shape[:2]) * scale
            while smaller_side >= FIELD:
                yield scale, members
                scale *= FACTOR
                smaller_side *= FACTOR

    def _look(
        self, network: Network, tables: list[np.ndarray], squares: list[np.ndarray], side: int
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Show a network what lies in the squares: those that touch the picture, and the answers to them."""
        squares = [s[_touches(s, table)] for s, table in zip(squares, tables, strict=True)]
        crops = (crop for s, table in zip(squares, tables, strict=True) for crop in _crops(table, s, side))
        answers = self._run(network, crops, side * side)
        ends = np.cumsum([len(s) for s in squares])
        return squares, np.split(answers, ends[:-1])

    def _run(self, network: Network, inputs: Iterable[np.ndarray], n_pixels: int) -> np.ndarray:
        """Run a network on inputs (H, W, 4) of one size, of ``n_pixels``, a chunk at a time."""
        answers = []
        waiting = iter(inputs)
        with torch.inference_mode():
            while chunk := list(islice(waiting, max(1, CHUNK // n_pixels))):
                batch = torch.from_numpy(np.stack(chunk)).to(self.device).float()
                answers.append(network(batch).cpu().numpy())
        return np.concatenate(answers) if answers else np.empty((0, network.n_outputs), np.float32)


class Layer(NamedTuple):
    """A convolution, and the slopes of the PReLU behind it."""

    weight: Tensor
    bias: Tensor
    slope: Tensor
    step: int = 1  # from one place that is computed to the next
    pool: int = 0  # side of the max pooling that follows, with step 2; 0 = none


class Network:
    """One of the three networks: convolutions, a dense layer if any, and its heads as one matrix.

    It takes (N, H, W, 4) float32, values 0 to 255, of which the fourth channel is ignored, and gives (N, C), or
    (N, rows, columns, C) where there is no dense layer: score of a face, four corrections of the box, landmarks.
    """

    def __init__(
        self,
        weights: dict[str, Tensor],
        name: str,
        *,
        pools: tuple[int, ...],
        heads: tuple[str, ...],
        dense: str = "",
        last_step: int = 1,
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
            step = last_step if k == len(pools) else 1
            self.convolutions.append(Layer(weight, F.pad(bias, (0, extra)), F.pad(slope, (0, extra)), step, pool))
            n_inputs = n_outputs
        self.dense = None
        if dense:
            weight = weights[f"{name}.{dense}.weight"]
            side = math.isqrt(weight.shape[1] // n_inputs)
            # stored for columns, rows, channels; here the channels lie last, then the columns
            weight = weight.view(-1, side, side, n_inputs).transpose(1, 2).flatten(1).contiguous()
            k = len(pools) + 1
            self.dense = Layer(weight, weights[f"{name}.{dense}.bias"], weights[f"{name}.prelu{k}.weight"])
        weight = torch.cat([weights[f"{name}.{head}.weight"].flatten(1) for head in heads])
        bias = torch.cat([weights[f"{name}.{head}.bias"] for head in heads])
        # softmax of two logits is the sigmoid of their difference
        weight, bias = torch.cat([weight[1:2] - weight[:1], weight[2:]]), torch.cat([bias[1:2] - bias[:1], bias[2:]])
        self.head, self.head_bias = weight, bias
        self.n_outputs = len(bias)

    def __call__(self, pictures: Tensor) -> Tensor:
        x = pictures.permute(0, 3, 1, 2)
        for weight, bias, slope, step, pool in self.convolutions:
            x = F.prelu(F.conv2d(x, weight, bias, stride=step), slope)
            if pool:
                x = F.max_pool2d(x, pool, stride=2, ceil_mode=True)
        x = x.permute(0, 2, 3, 1)
        if self.dense is not None:
            x = F.prelu(F.linear(x.flatten(1), self.dense.weight, self.dense.bias), self.dense.slope)
        x = F.linear(x, self.head, self.head_bias)
        # In float32 good scores round to 1 exactly; which of such boxes wins depends on it, so the odds will not do.
        x[..., 0].sigmoid_()
        return x


def summed_area(picture: np.ndarray) -> np.ndarray:
    """Sum a picture (H, W, 4) uint8 over all rectangles that begin at its corner: (H + 1, W + 1) cells.

    A cell holds four int32 sums and is typed as one 16-byte number, which NumPy moves at once.
    """
    return cv2.integral(picture).view(np.complex128)[..., 0]


def _bins(start: np.ndarray | int, length: np.ndarray | int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Divide [start, start + length) into n bins of whole pixels, as adaptive average pooling does: begins and ends."""
    k = np.arange(n)
    return start + k * length // n, start - (-(k + 1) * length // n)


def level(table: np.ndarray, height: int, width: int) -> np.ndarray:
    """Reduce a picture to (height, width, 4) float32 by area averages."""
    top, bottom = _bins(0, table.shape[0] - 1, height)
    left, right = _bins(0, table.shape[1] - 1, width)
    rows = (table.view(np.int32)[bottom] - table.view(np.int32)[top]).view(np.complex128)
    sums = (rows.take(right, axis=1).view(np.int32) - rows.take(left, axis=1).view(np.int32)).reshape(height, width, 4)
    return sums.astype(np.float32) / np.outer(bottom - top, right - left).astype(np.float32)[..., None]


def _crops(table: np.ndarray, squares: np.ndarray, side: int) -> Iterator[np.ndarray]:
    """Cut squares one block after the other: a picture all of texture has thousands."""
    for start in range(0, len(squares), BLOCK):
        yield from cut(table, squares[start : start + BLOCK], side)


def cut(table: np.ndarray, squares: np.ndarray, side: int) -> np.ndarray:
    """Cut squares (N, 4) out of a picture and reduce or enlarge them: (N, side, side, 4) float32.

    What lies outside the picture is cut off, and the rest stretched, as facenet-pytorch does it.
    """
    x0, y0, x1, y1 = (edge[:, None] for edge in _clipped(squares, table).T)
    top, bottom = (edge[:, :, None] for edge in _bins(y0, y1 - y0, side))
    left, right = (edge[:, None, :] for edge in _bins(x0, x1 - x0, side))
    cells, row = table.ravel(), table.shape[1]
    sums = cells[bottom * row + right].view(np.int32)
    sums -= cells[top * row + right].view(np.int32)
    sums -= cells[bottom * row + left].view(np.int32)
    sums += cells[top * row + left].view(np.int32)
    averages = sums.reshape(len(squares), side, side, 4).astype(np.float32)
    averages /= ((bottom - top) * (right - left)).astype(np.float32)[..., None]
    return averages


def _clipped(squares: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Return the whole pixels of squares that lie inside the picture: (N, 4) int64, ends exclusive.

    MTCNN counts pixels from 1, so the first of a square at x is the one before int(x).
    """
    height, width = table.shape[0] - 1, table.shape[1] - 1
    whole = squares.astype(np.int64)
    low, high = np.maximum(whole[:, :2], 1) - 1, np.minimum(whole[:, 2:], (width, height))
    return np.concatenate([low, high], axis=1)


def _touches(squares: np.ndarray, table: np.ndarray) -> np.ndarray:
    inside = _clipped(squares, table)
    return np.all(inside[:, :2] < inside[:, 2:], axis=1)


def _proposed(rows: np.ndarray, overlap: float) -> np.ndarray:
    """Make squares (n, 4) of proposals (n, 10): box, score, corrections of its four edges, number of the level."""
    rows = rows[suppress(rows[:, :4], rows[:, 4], 0.5, groups=rows[:, 9])]
    rows = rows[suppress(rows[:, :4], rows[:, 4], overlap)]
    size = rows[:, 2:4] - rows[:, :2]
    return _squared(rows[:, :4] + rows[:, 5:9] * np.tile(size, 2))


def _refined(squares: np.ndarray, answers: np.ndarray, overlap: float) -> np.ndarray:
    """Make squares (n, 4) of R's answers: those that pass, suppressed, corrected."""
    passed = answers[:, 0] > THRESHOLDS[1]
    squares, answers = squares[passed], answers[passed]
    kept = suppress(squares, answers[:, 0], overlap)
    return _squared(_corrected(squares[kept], answers[kept, 1:5]))


def _faces(squares: np.ndarray, answers: np.ndarray) -> Detections:
    """Make faces of O's answers, the most confident first."""
    passed = answers[:, 0] > THRESHOLDS[2]
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


def suppress(
    boxes: np.ndarray,
    scores: np.ndarray,
    threshold: float,
    *,
    groups: np.ndarray | None = None,
    within_smaller: bool = False,
) -> np.ndarray:
    """Choose, from the best score down, the boxes that no chosen one overlaps by more than the threshold.

    Args:
        groups: (N,) boxes of different groups do not overlap.
        within_smaller: the overlap is a share of the smaller box instead of the union, and edges count as pixels.

    Returns:
        Indices of the chosen boxes, the best first.
    """
    order = np.argsort(-scores, kind="stable")
    chosen = np.empty(0, np.int64)
    for start in range(0, len(order), BLOCK):
        block = order[start : start + BLOCK]
        if len(chosen):
            block = block[~(_overlap(boxes, chosen, block, groups, within_smaller) > threshold).any(axis=0)]
        hides = np.triu(_overlap(boxes, block, block, groups, within_smaller) > threshold, 1).astype(np.float32)
        kept = np.ones(len(block), np.float32)
        # A box is hidden by a better one that is kept. Each round settles at least the best unsettled box.
        while not np.array_equal(kept, settled := (kept @ hides == 0).astype(np.float32)):
            kept = settled
        chosen = np.concatenate([chosen, block[kept > 0]])
    return chosen


def _overlap(
    boxes: np.ndarray, a: np.ndarray, b: np.ndarray, groups: np.ndarray | None, within_smaller: bool
) -> np.ndarray:
    """Compute the overlap of the boxes a with the boxes b: (len(a), len(b))."""
    edge = np.float32(within_smaller)
    x0, y0, x1, y1 = boxes.T
    width = np.minimum(x1[a, None], x1[b]) - np.maximum(x0[a, None], x0[b]) + edge
    height = np.minimum(y1[a, None], y1[b]) - np.maximum(y0[a, None], y0[b]) + edge
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    area = (x1 - x0 + edge) * (y1 - y0 + edge)
    whole = np.minimum(area[a, None], area[b]) if within_smaller else area[a, None] + area[b] - shared
    overlap = shared / np.maximum(whole, np.float32(1e-9))
    if groups is not None:
        overlap[groups[a, None] != groups[b]] = 0
    return overlap


def load(path: Path, *, smallest_face: float, device: str = "cpu", pyramid: Literal["fast", "exact"] = "fast") -> Mtcnn:
    """Load the weights and build the cascade.

    Raises:
        WeightsError: the file is damaged or of another layout.
    """
    try:
        weights = {name: tensor.to(device) for name, tensor in load_file(path).items()}
        search = EXACT if pyramid == "exact" else FAST
        return Mtcnn(weights, smallest_face=smallest_face, search=search, device=device)
    except (SafetensorError, OSError, KeyError, RuntimeError) as error:
        raise WeightsError(f"{path} does not hold the weights of MTCNN: {error}") from error

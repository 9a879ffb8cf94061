"""Draw where a network looked: its masks, and the parts of the face that raised the score of an emotion (Grad-CAM).

Grad-CAM (Selvaraju et al., ICCV 2017) weights the last stage's feature maps by the gradient of the emotion's logit. It
shows which parts the network used, not whether it was right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from scenefer.core.errors import WeightsError
from scenefer.core.schema import EMOTIONS
from scenefer.models import Calibration
from scenefer.models.expression.blending import blend
from scenefer.models.expression.network import ExpressionNetwork

SIDE = 192  # px, of each drawn face


def explain(network: ExpressionNetwork, face: np.ndarray, calibration: Calibration) -> tuple[str, np.ndarray]:
    """Draw a face, its masks and its Grad-CAM side by side.

    Args:
        network: float32, as returned by ``predictor.load_network``.
        face: (S, S) uint8 grey, framed like the network's training pictures; S is its ``size``.
        calibration: states which heads are used.

    Returns:
        The strongest emotion, and (192, 192 · (2 + masks), 3) uint8 RGB: the face, one mask per stage, Grad-CAM. For an
        ensemble there is one row per member; masks that a member lacks are grey.

    Raises:
        WeightsError: the network has no modules with the names of stages, see ``ExpressionNetwork``.
    """
    network.eval()
    members = network.members()
    if not all(map(_stages, members)):
        raise WeightsError(f"{type(network).__name__} names no module stages.N or groups.N whose output could be drawn")
    masks: list[list[Tensor]] = [[] for _ in members]
    kept: list[Tensor] = []
    hooks = []
    for member, seen in zip(members, masks, strict=True):
        hooks += [mask.register_forward_hook(_append_to(seen)) for mask in _masks(member)]
        hooks.append(_stages(member)[-1].register_forward_hook(_append_to(kept)))
    try:
        grey = torch.from_numpy(face.astype(np.float32))[None, None].requires_grad_()
        outputs = network(grey)[0]
        strongest = int(blend(outputs.detach().numpy()[None], calibration).argmax())
        said_by = calibration.reading if EMOTIONS[strongest] == "neutral" else calibration.expressive
        spoken = [share * outputs[first + strongest] for first, share in said_by or calibration.reading]
        slopes = torch.autograd.grad(torch.stack(spoken).sum(), kept)
    finally:
        for hook in hooks:
            hook.remove()
    plain = cv2.cvtColor(cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), cv2.COLOR_GRAY2RGB)
    widest = max(len(seen) for seen in masks)
    rows = []
    for seen, slope, last in zip(masks, slopes, kept, strict=True):
        drawn = [_over(plain, mask[0].mean(dim=0).detach().numpy()) for mask in seen]
        drawn += [np.full_like(plain, 128)] * (widest - len(seen))
        importance = torch.relu((slope.mean(dim=(2, 3), keepdim=True) * last).sum(dim=1))[0].detach()
        rows.append(np.hstack([plain, *drawn, _over(plain, importance.numpy())]))
    return EMOTIONS[strongest], np.vstack(rows)


def _append_to(outputs: list[Tensor]) -> Callable[[nn.Module, Any, Any], None]:
    return lambda _module, _inputs, output: outputs.append(output)


def _masks(network: nn.Module) -> list[nn.Module]:
    return [child for name, child in network.named_modules() if _is_stage(name, "mask")]


def _stages(network: nn.Module) -> list[nn.Module]:
    return [child for name, child in network.named_modules() if _is_stage(name, "stages.", "groups.", "layer")]


def _is_stage(name: str, *starts: str) -> bool:
    """Whether a module is a stage or a mask of a stage, by its name: ``masks.2``, ``groups.0``, ``layer4``."""
    return (
        name.startswith(starts)
        and name[-1].isdigit()
        and name.count(".") == name.startswith(("masks.", "stages.", "groups."))
    )


def _over(picture: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Overlay a heat map on a picture, from blue (lowest) to red (highest)."""
    spread = float(np.ptp(values))
    scaled = (values - values.min()) / spread if spread > 0 else np.zeros_like(values)
    large = cv2.resize(scaled.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    coloured = cv2.applyColorMap((large * 255).astype(np.uint8), cv2.COLORMAP_JET)[:, :, ::-1]
    return (0.55 * picture + 0.45 * coloured).astype(np.uint8)

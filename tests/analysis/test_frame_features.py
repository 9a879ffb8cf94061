import numpy as np
import pytest

from scenefer.analysis import frame_features


def plain(red: int, green: int, blue: int, height: int = 180, width: int = 320) -> np.ndarray:
    return np.full((height, width, 3), (red, green, blue), np.uint8)


def blobs(seed: int, height: int = 180, width: int = 400) -> np.ndarray:
    """A picture of soft coloured blobs that fills the range of values, as photographs do."""
    import cv2

    coarse = np.random.default_rng(seed).uniform(0, 255, (height // 20, width // 20, 3)).astype(np.float32)
    return np.clip(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)


def letterboxed(picture: np.ndarray, bar: int = 24) -> np.ndarray:
    boxed = picture.copy()
    boxed[:bar] = boxed[-bar:] = 0
    return boxed


def test_a_picture_compared_with_itself_scores_nothing():
    picture = blobs(1)
    assert frame_features.compare(picture, picture) == 0


def test_another_picture_scores_far_more_than_camera_motion():
    wide, other = blobs(1), blobs(2)
    pan = frame_features.compare(wide[:, 0:320], wide[:, 8:328])
    cut = frame_features.compare(wide[:, 0:320], other[:, 0:320])
    assert cut > 0.4
    assert pan < 0.1


def test_noise_of_a_dark_picture_scores_next_to_nothing():
    rng = np.random.default_rng(0)
    dark = blobs(3) // 6
    first, second = (np.clip(dark + rng.normal(0, 6, dark.shape), 0, 255).astype(np.uint8) for _ in range(2))
    assert frame_features.compare(first, second) < 0.05


def test_a_cut_between_plain_pictures_counts():
    assert frame_features.compare(plain(0, 0, 0), plain(255, 255, 255)) == pytest.approx(1)
    assert frame_features.compare(plain(0, 0, 0), plain(4, 4, 4)) < 0.1


def test_black_bars_do_not_dilute_the_score():
    first, second = blobs(1), blobs(2)
    inside = frame_features.compare(first[32:-32], second[32:-32])
    boxed = frame_features.compare(letterboxed(first, 32), letterboxed(second, 32))
    pillared = frame_features.compare(
        letterboxed(first[:, :320].transpose(1, 0, 2), 60).transpose(1, 0, 2),
        letterboxed(second[:, :320].transpose(1, 0, 2), 60).transpose(1, 0, 2),
    )
    assert boxed == pytest.approx(inside, abs=0.05)
    assert pillared > 0.5


def test_a_black_frame_between_letterboxed_pictures_is_a_change_of_all_of_the_picture():
    assert frame_features.compare(letterboxed(blobs(1)), plain(0, 0, 0, width=400)) > 0.7


def test_pictures_of_two_shapes_are_refused():
    with pytest.raises(ValueError, match=r"\(180, 320, 3\) and \(90, 160, 3\)"):
        frame_features.compare(plain(0, 0, 0), plain(0, 0, 0, 90, 160))


def test_a_signature_is_144_luma_values_from_the_upper_left():
    picture = plain(0, 0, 0)
    picture[:20, :20] = 255
    signature = np.frombuffer(frame_features.essence(picture).signature, np.uint8).reshape(9, 16)
    assert signature[0, 0] == 255
    assert signature[1:].max() == 0
    assert signature[0, 1:].max() == 0


def test_luma_is_the_mean_brightness():
    assert frame_features.essence(plain(10, 10, 10)).luma == pytest.approx(10)
    assert frame_features.essence(plain(0, 255, 0)).luma == pytest.approx(150, abs=1)


def test_a_palette_counts_hues_and_greys_apart_and_leaves_the_bars_out():
    half_red = letterboxed(plain(255, 0, 0))
    half_red[:, 160:] = 128
    half_red = letterboxed(half_red)
    counts = np.frombuffer(frame_features.palette(half_red), np.uint8).astype(int)
    n_coloured = frame_features.N_HUES * frame_features.N_TINTS
    assert len(counts) == n_coloured + frame_features.N_GREYS
    assert counts[frame_features.N_TINTS - 1] == pytest.approx(128, abs=3)  # strong red
    assert counts[n_coloured + frame_features.N_GREYS // 2] == pytest.approx(128, abs=3)
    assert counts.sum() == pytest.approx(255, abs=3)


@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 3, 3), (96, 96, 3), (569, 320, 3)])
def test_pictures_of_every_shape_are_measured(shape):
    dark, bright = np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8)
    assert frame_features.compare(dark, bright) == pytest.approx(1)
    assert len(frame_features.essence(bright).signature) == 144
    assert len(frame_features.palette(bright)) == len(frame_features.palette(dark)) == 44

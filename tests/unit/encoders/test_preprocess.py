"""Pixels reach the image tower as open_clip's evaluation transform would bring them, within 1e-3."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from lookalike.core.errors import EncoderBroken
from lookalike.encoders.preprocess import Preprocessing, read_preprocessing

CLIP = {
    "size": [224, 224],
    "mode": "RGB",
    "mean": [0.48145466, 0.4578275, 0.40821073],
    "std": [0.26862954, 0.26130258, 0.27577711],
    "interpolation": "bicubic",
    "resize_mode": "shortest",
    "fill_color": 0,
}
SIGLIP = CLIP | {"size": 256, "mean": [0.5] * 3, "std": [0.5] * 3, "resize_mode": "squash"}
SHAPES = [(480, 640), (641, 479), (224, 224), (224, 500), (100, 37), (1, 1), (3, 400), (777, 778)]


def photo(height, width):
    """Smooth shades with grain: both what a filter blurs and what it keeps."""
    random = np.random.default_rng(height * 1000 + width)
    y, x = np.mgrid[0:height, 0:width]
    shades = np.stack([np.sin(x / 17), np.cos(y / 23), np.sin((x + y) / 41)], -1) * 100 + 128
    return np.clip(shades + random.normal(0, 20, shades.shape), 0, 255).astype(np.uint8)


def open_clips_transform(pixels, config):
    """`image_transform(is_train=False)` of open_clip, step by step as torchvision does each on a Pillow image.

    torchvision has no CPU build for the torch in use; on Pillow images its Resize is Pillow's, its ToTensor x / 255.
    """
    picture = Image.fromarray(pixels)
    size = config["size"]
    out_height, out_width = (size, size) if isinstance(size, int) else size
    resampling = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}[config["interpolation"]]
    width, height = picture.size
    if config["resize_mode"] == "squash":
        picture = picture.resize((out_width, out_height), resampling)
    elif config["resize_mode"] == "longest":
        ratio = max(height / out_height, width / out_width)
        picture = picture.resize((max(1, round(width / ratio)), max(1, round(height / ratio))), resampling)
        ground = Image.new("RGB", (out_width, out_height), (config["fill_color"],) * 3)
        ground.paste(picture, ((out_width - picture.width) // 2, (out_height - picture.height) // 2))
        picture = ground
    else:
        short, long = sorted((width, height))
        if out_height == out_width:
            new_long = int(out_width * long / short)
            new = (out_width, new_long) if width <= height else (new_long, out_width)
        else:
            ratio = min(height / out_height, width / out_width)
            new = round(width / ratio), round(height / ratio)
        picture = picture.resize(new, resampling)
        top = round((picture.height - out_height) / 2.0)
        left = round((picture.width - out_width) / 2.0)
        picture = picture.crop((left, top, left + out_width, top + out_height))
    values = np.asarray(picture, np.float64) / 255
    return ((values - config["mean"]) / config["std"]).transpose(2, 0, 1)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "config",
    [
        CLIP,
        SIGLIP,
        CLIP | {"interpolation": "bilinear"},
        CLIP | {"size": [192, 256]},
        CLIP | {"resize_mode": "longest", "fill_color": 127},
        SIGLIP | {"size": [160, 288]},
    ],
)
def test_equal_to_open_clips_transform(config, shape):
    pixels = photo(*shape)
    batch = read_preprocessing(config, "preprocess_cfg.json").batch([pixels])
    assert batch.dtype == np.float32
    assert batch.flags.c_contiguous
    np.testing.assert_allclose(batch[0], open_clips_transform(pixels, config), atol=1e-3, rtol=0)


def test_a_batch_keeps_the_order_of_its_pictures():
    rules = read_preprocessing(SIGLIP, "preprocess_cfg.json")
    pictures = [photo(*shape) for shape in SHAPES]
    batch = rules.batch(pictures)
    for row, picture in zip(batch, pictures, strict=True):
        np.testing.assert_array_equal(row, rules.batch([picture])[0])
    assert rules.batch([]).shape == (0, 3, 256, 256)


def test_a_picture_of_the_right_size_is_taken_as_it_is():
    pixels = photo(224, 224)
    np.testing.assert_array_equal(Preprocessing().fitted([pixels])[0], pixels)


@pytest.mark.parametrize("mode", ["shortest", "squash"])
def test_a_picture_may_be_resized_larger_than_what_is_cut_out_of_its_middle(mode):
    whole = read_preprocessing(CLIP | {"size": 256, "resize_mode": mode}, "preprocess_cfg.json")
    middle = read_preprocessing(CLIP | {"resize_size": 256, "resize_mode": mode}, "preprocess_cfg.json")
    pictures = [photo(480, 640), photo(300, 300)]
    np.testing.assert_array_equal(middle.fitted(pictures), whole.fitted(pictures)[:, 16:240, 16:240])


@pytest.mark.parametrize(("shape", "top", "left"), [((480, 641), 0, 80), ((301, 200), 50, 0), ((300, 300), 0, 0)])
def test_the_square_in_the_middle_may_be_cut_out_before_it_is_made_small(shape, top, left):
    pixels, side = photo(*shape), min(shape)
    rules = read_preprocessing(CLIP | {"resize_mode": "middle", "interpolation": "bilinear"}, "preprocess_cfg.json")
    square = Image.fromarray(pixels[top : top + side, left : left + side])
    wanted = np.asarray(square.resize((224, 224), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(rules.fitted([pixels])[0], wanted)


def test_what_is_fitted_once_stays_as_it_is():
    rules = read_preprocessing(CLIP | {"resize_size": 256}, "preprocess_cfg.json")
    fitted = rules.fitted([photo(480, 640)])
    np.testing.assert_array_equal(rules.fitted(list(fitted)), fitted)
    np.testing.assert_array_equal(np.asarray(rules.fit(Image.fromarray(fitted[0]))), fitted[0])


def test_missing_keys_mean_open_clips_defaults():
    assert read_preprocessing({}, "x") == Preprocessing()


@pytest.mark.parametrize(
    "wrong",
    [
        {"resize_mode": "fold"},
        {"interpolation": "lanczos"},
        {"mode": "L"},
        {"size": 0},
        {"std": [0, 1, 1]},
        {"mean": [1, 2]},
        {"size": "large"},
        {"resize_size": 200},
        {"resize_size": 256, "resize_mode": "longest"},
        {"resize_size": 256, "resize_mode": "middle"},
        {"size": [192, 256], "resize_mode": "middle"},
    ],
)
def test_rules_that_cannot_be_followed_are_refused_with_the_files_name(wrong):
    with pytest.raises(EncoderBroken, match=r"preprocess_cfg\.json"):
        read_preprocessing(CLIP | wrong, "preprocess_cfg.json")

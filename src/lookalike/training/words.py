"""All the English of a run, gathered once: captions, names of classes, and names without pictures.

`words.json` numbers every distinct text. A picture of a captioned set has the numbers of its captions; a picture of a
labelled set has a concept, and a concept has the texts that name it (its names in several templates). Concepts are
shared across sets: a dalmatian is a dalmatian wherever its photo comes from. Other languages are in `parallel`.
"""

from __future__ import annotations

import csv
import io
import json
import re
import tomllib
from dataclasses import asdict, dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Any, Self

from lookalike.training.pack import PackList

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lookalike.training.snapshots import Snapshots

CAPTIONED = ("coco", "flickr", "flickr_test")
_NAMES_KEPT = 3  # of WordNet's synonyms: the later ones are rare words and Latin
_LABELS = ("google-coral/test_data", "104342d2d348", "imagenet_labels.txt")
_WORDNET = ("seshuad/IMagenet", "153dbc161ab7", "tiny-imagenet-200/words.txt")
_DETIC = ("facebookresearch/Detic", "436cda2a2347")
_COCO = ("syf0122/COMP5329_Assignment02", "7c1fe6ff6a8b")
_FLICKR = ("quantumnaan/sic_translator", "d27da85cff2d")
_SPACES = re.compile(r"\s+")


@dataclass
class Words:
    """`texts`: distinct texts. The other fields hold their numbers: `captions` by set and row, `concepts` by concept.

    `rows`: concept of every row of the other sets, -1 without a label. `teacher`: concept of each output of the picture
    teacher, -1 for its background class. `extra`: texts that no picture has.
    """

    texts: list[str] = field(default_factory=list)
    concepts: list[list[int]] = field(default_factory=list)
    captions: dict[str, list[list[int]]] = field(default_factory=dict)
    rows: dict[str, list[int]] = field(default_factory=dict)
    teacher: list[int] = field(default_factory=list)
    extra: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._numbers = {text: number for number, text in enumerate(self.texts)}
        self._concepts: dict[str, int] = {}

    def number(self, text: str) -> int:
        """The text's number; new texts get the next one."""
        text = _SPACES.sub(" ", text.strip())
        if text not in self._numbers:
            self._numbers[text] = len(self.texts)
            self.texts.append(text)
        return self._numbers[text]

    def concept(self, names: Sequence[str], templates: Sequence[str], key: str) -> int:
        """The concept `key`, made where it is new; its texts grow by `names` in `templates`."""
        if key not in self._concepts:
            self._concepts[key] = len(self.concepts)
            self.concepts.append([])
        known = self.concepts[self._concepts[key]]
        numbers = [self.number(template.format(name)) for name in names for template in templates]
        known += [number for number in dict.fromkeys(numbers) if number not in known]
        return self._concepts[key]

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Self:
        return cls(**json.loads(path.read_text(encoding="utf-8")))


def gather(sets: Sequence[str], packs: Path, snapshots: Snapshots) -> Words:
    """The words of the packed `sets`, of the picture teacher's labels, and of vocabularies without pictures."""
    words = Words()
    names = class_names()
    wordnet = dict(line.split("\t", 1) for line in snapshots.text(*_WORDNET).splitlines())
    captions = {"coco": _coco(snapshots), "flickr": _flickr(snapshots, "ignore_captions.txt")}
    captions["flickr_test"] = _flickr(snapshots, "captions.txt")
    for name in sets:
        listing = PackList.read(packs, name)
        if name in CAPTIONED:
            said = (captions[name].get(path.rsplit("/", 1)[-1], []) for path in listing.paths)
            words.captions[name] = [[words.number(text) for text in texts] for texts in said]
        else:
            words.rows[name] = [
                _concept(words, name, label, names, wordnet) if label else -1 for label in listing.labels
            ]
    labels = snapshots.text(*_LABELS).splitlines()
    photo = names["templates"]["photo"]
    words.teacher = [-1] + [words.concept(found := synonyms(line), photo, found[0].lower()) for line in labels[1:]]
    words.extra = [words.number(text) for text in _vocabularies(snapshots) if text.strip()]
    return words


def class_names() -> dict[str, Any]:
    """The tables of `class_names.toml`."""
    text = resources.files("lookalike.training").joinpath("class_names.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def names_of(name: str, label: str, names: Mapping[str, Any], wordnet: Mapping[str, str]) -> list[str]:
    """What the class `label` of the set `name` is called; the first is the concept's name."""
    if label in wordnet:
        return synonyms(wordnet[label])
    listed = names["caltech"] if name.startswith("caltech") else names["other"]
    return list(listed.get(label, [label.replace("_", " ").lower()]))


def synonyms(line: str) -> list[str]:
    """The first names in a comma-separated line."""
    return [part.strip() for part in line.split(",")][:_NAMES_KEPT]


def _concept(words: Words, name: str, label: str, names: Mapping[str, Any], wordnet: Mapping[str, str]) -> int:
    """The concept of a label. A drawn horse is not the concept of a photographed one: its words say so."""
    domain, _, thing = label.rpartition("/")
    found = names_of(name, thing, names, wordnet)
    key = found[0].lower() if domain in {"", "photo"} else f"{domain}/{found[0].lower()}"
    return words.concept(found, names["templates"][domain or "photo"], key)


def _coco(snapshots: Snapshots) -> dict[str, list[str]]:
    captions: dict[str, list[str]] = {}
    for table in ("data/train.csv", "data/test.csv"):
        for row in csv.DictReader(io.StringIO(snapshots.text(*_COCO, table))):
            captions.setdefault(row["ImageID"], []).append(row["Caption"])
    return captions


def _flickr(snapshots: Snapshots, table: str) -> dict[str, list[str]]:
    captions: dict[str, list[str]] = {}
    for image, *parts in csv.reader(io.StringIO(snapshots.text(*_FLICKR, f"data/{table}"))):
        if image != "image":
            captions.setdefault(image, []).append(",".join(parts))
    return captions


def _vocabularies(snapshots: Snapshots) -> list[str]:
    """LVIS names and definitions, Objects365 names: words for things, known to the text tower without pictures."""
    texts: list[str] = []
    for entry in json.loads(snapshots.text(*_DETIC, "datasets/metadata/lvis_v1_train_cat_info.json")):
        texts += [name.replace("_", " ") for name in entry["synonyms"][:2]] + [entry["def"]]
    names = snapshots.text(*_DETIC, "datasets/metadata/Objects365_names_fix.csv").splitlines()
    return texts + [line.rsplit(",", 1)[-1] for line in names]

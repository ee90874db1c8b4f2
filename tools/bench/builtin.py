"""What the built-in encoder can do: quality in every language, int8, narrower vectors, speed; and what was promised.

    python tools/bench/builtin.py --flickr DIR --caltech DIR --imagenette DIR [--encoder NAME] [--float DIR] [--out DIR]

The folders are those that `test_photos.py` writes. `--float` is an export of the same weights in float16 or float32,
which int8 is compared with. Writes OUT/builtin.json and OUT/builtin.md, and prints the table of figures that stands in
`src/lookalike/encoders/catalogue.toml`. `make bench-builtin` runs it.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent))
import builtin_quality as quality
import builtin_speed as speed

from lookalike.encoders.load import BUILTIN_FOLDER, load_encoder

if TYPE_CHECKING:
    from collections.abc import Mapping

PROMISED = {"hit@1": 0.169, "hit@5": 0.394, "hit@10": 0.513}
"""Captions: what small heads on two frozen pretrained networks of 27 M parameters reach."""
NAMES_PROMISED = PICTURES_PROMISED = 0.65
SHARE_PROMISED = 0.8
INT8_PROMISED, NARROW_PROMISED = 0.99, 0.95
RATE_PROMISED, QUERY_PROMISED_MS, SIZE_PROMISED_MB = 2.0, 3.0, 35.0
FIRST_LANGUAGES = ("ru", "uk")


def main() -> None:
    asked = _arguments()
    encoder = load_encoder(asked.encoder)
    folder = BUILTIN_FOLDER if asked.encoder == "builtin" else Path(asked.encoder)
    flickr = quality.read_captioned(asked.flickr)
    caltech = quality.read_labelled(asked.caltech, "caltech101")
    imagenette = quality.read_labelled(asked.imagenette, "imagenette")
    print("quality", file=sys.stderr)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    looks = 2 if config.get("mirror") else 1
    figures: dict[str, Any] = {
        "encoder": encoder.id,
        "size, MB": round(sum(path.stat().st_size for path in folder.rglob("*.onnx")) / 1e6, 1),
        "storage": config.get("storage", "float16"),
        **quality.measure(encoder, flickr, caltech, imagenette),
    }
    towers = {"built-in": (folder / "visual" / "model.onnx", encoder.image_side, looks)}
    if asked.float:
        print("against float", file=sys.stderr)
        other = load_encoder(str(asked.float))
        figures["against float"] = quality.compare(encoder, other, flickr, caltech)
        towers["built-in in float"] = (asked.float / "visual" / "model.onnx", other.image_side, looks)
    print("speed", file=sys.stderr)
    asked.work.mkdir(parents=True, exist_ok=True)
    towers["ViT-B/32 int8"] = (speed.write_peer(asked.work), speed.PEER_SIDE, 1)
    figures["pictures/s"] = speed.picture_rates(towers)
    figures["query, ms"] = speed.text_ms(encoder, flickr.captions[:: len(flickr.captions) // speed.QUERIES])
    figures["first query of a process, ms"] = speed.cold_query(asked.flickr, asked.encoder)
    figures["machine"] = {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()}
    _tell(figures, asked.out)


def _arguments() -> Namespace:
    parser = ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for name in ("flickr", "caltech", "imagenette"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--encoder", default="builtin", help="builtin, or the folder of an export")
    parser.add_argument("--float", type=Path, help="the same weights in float16 or float32")
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    parser.add_argument("--work", type=Path, default=Path("bench-output"), help="where the peer's model is kept")
    return parser.parse_args()


def _tell(figures: dict[str, Any], out: Path) -> None:
    promises = kept(figures)
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**figures, "promises": promises}, indent=1, ensure_ascii=False)
    (out / "builtin.json").write_text(text + "\n", encoding="utf-8")
    page = markdown(figures, promises)
    (out / "builtin.md").write_text(page, encoding="utf-8")
    print(page)
    print("# for src/lookalike/encoders/catalogue.toml")
    print(catalogue(figures))


def kept(figures: Mapping[str, Any]) -> dict[str, bool]:
    """Every promise, and whether it is kept."""
    things = figures["languages"]["caltech-101"]
    rates, first = figures["pictures/s"]["2 threads"], figures["first query of a process, ms"]
    told = {
        f"captions {metric} >= {100 * least:.1f} %": figures["captions"][metric]["mean"] >= least
        for metric, least in PROMISED.items()
    }
    told |= {
        f"names precision@10 >= {NAMES_PROMISED}": figures["names"]["mean"] >= NAMES_PROMISED,
        f"pictures precision@10 >= {PICTURES_PROMISED}": figures["pictures"]["mean"] >= PICTURES_PROMISED,
    }
    told |= {
        f"{language} names >= {SHARE_PROMISED:.0%} of English": things[language]["share"]["mean"] >= SHARE_PROMISED
        for language in FIRST_LANGUAGES
    }
    if "against float" in figures:
        told["int8 loses <= 1 % of hit@10"] = figures["against float"]["hit@10"]["mean"] >= INT8_PROMISED
    if "128" in figures["widths"]:
        narrow = figures["widths"]["128"]["share of hit@10"]["mean"]
        told["128 components lose <= 5 % of hit@10"] = narrow >= NARROW_PROMISED
    return told | {
        "pictures/s >= 2 x ViT-B/32 int8": rates["built-in"] >= RATE_PROMISED * rates["ViT-B/32 int8"],
        f"query <= {QUERY_PROMISED_MS:.0f} ms": figures["query, ms"] <= QUERY_PROMISED_MS,
        f"both towers <= {SIZE_PROMISED_MB:.0f} MB": figures["size, MB"] <= SIZE_PROMISED_MB,
        "first query: more for Python and imports than for all else": first["interpreter"] + first["imports"]
        > first["open"] + first["whole answer"],
    }


def catalogue(figures: Mapping[str, Any]) -> str:
    """The table `[builtin]` of the catalogue."""
    precision = ", ".join(
        f"{language} = {value}" for language, value in quality.languages_for_catalogue(figures).items()
    )
    return f'[builtin]\nencoder = "{figures["encoder"]}"\nprecision = {{ {precision} }}'


def markdown(figures: Mapping[str, Any], promises: Mapping[str, bool]) -> str:
    """The page of docs/benchmarks."""
    lines = [
        "# The built-in encoder, measured",
        "",
        "Written by `make bench-builtin`; what is measured and how: [measurements](README.md). None of it was trained",
        "on. In brackets: 95 % intervals, bootstrap over queries, 1,000 resamples, seed 0.",
        "",
        f"Encoder `{figures['encoder']}`, {figures['storage']}, {figures['size, MB']} MB in both towers.",
        "",
        *_quality_table(figures),
        "",
        *_language_table(figures),
        "",
        *_width_table(figures),
        *_speed_table(figures),
        "",
        "| promised | kept |",
        "|---|---|",
        *(f"| {name} | {'yes' if held else 'no'} |" for name, held in promises.items()),
    ]
    return "\n".join(lines) + "\n"


def _quality_table(figures: Mapping[str, Any]) -> list[str]:
    rows = [(f"`flickr-1k`, 5,000 captions -> photo, {metric}", figures["captions"][metric]) for metric in quality.HITS]
    rows += [
        ("Caltech-101, even half, 101 bare class names -> photos, precision@10", figures["names"]),
        ("Caltech-101, even half, 4,310 photos -> photos, precision@10", figures["pictures"]),
        ("the same, averaged by class", figures["pictures by class"]),
    ]
    if "against float" in figures:
        told = figures["against float"]
        cosine = told["cosine"]
        rows += [
            ("int8 / float, captions hit@10", told["hit@10"]),
            (
                f"int8 / float, names (cosine: mean {cosine['mean']:.4f}, smallest {cosine['smallest']:.3f})",
                told["names"],
            ),
        ]
    return ["| test | % |", "|---|---|", *(f"| {name} | {_percent(value)} |" for name, value in rows)]


def _language_table(figures: Mapping[str, Any]) -> list[str]:
    things, tens = figures["languages"]["caltech-101"], figures["languages"]["imagenette"]
    rows = [
        f"| {language} | {_percent(things[language][quality.PRECISION])} | {_percent(things[language]['share'])} "
        f"| {_percent(tens[language][quality.PRECISION])} | {_percent(tens[language]['share'])} |"
        for language in things
    ]
    return [
        "Names by language (`tools/bench/class_names.tsv`), precision@10 in %, and the share of the English figure:",
        "",
        "| language | Caltech-101 | of English | Imagenette | of English |",
        "|---|---|---|---|---|",
        *rows,
    ]


def _width_table(figures: Mapping[str, Any]) -> list[str]:
    rows = [
        f"| {width} | {_percent(told['hit@10'])} | {_percent(told['share of hit@10'])} | {_percent(told['pictures'])} "
        f"| {_percent(told['share of pictures'])} |"
        for width, told in figures["widths"].items()
    ]
    if not rows:
        return []
    head = ["| components | captions hit@10 | of all | photos precision@10 | of all |", "|---|---|---|---|---|"]
    return [*head, *rows, ""]


def _speed_table(figures: Mapping[str, Any]) -> list[str]:
    rows = [
        f"| image tower, pictures/s, {threads} | {', '.join(f'{name} {rate:,}' for name, rate in rates.items())} |"
        for threads, rates in figures["pictures/s"].items()
    ]
    split = ", ".join(f"{stage} {value:g}" for stage, value in figures["first query of a process, ms"].items())
    return [
        "| speed | |",
        "|---|---|",
        *rows,
        f"| a query in words, ms | {figures['query, ms']} |",
        f"| the first query of a process, ms | {split} |",
    ]


def _percent(told: Mapping[str, Any]) -> str:
    low, high = told["interval"]
    return f"{100 * told['mean']:.1f} ({100 * low:.1f} - {100 * high:.1f})"


if __name__ == "__main__":
    main()

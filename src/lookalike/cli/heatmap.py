"""`lookalike heatmap`: pictures against texts, as a picture, a table and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from lookalike.cli import printing
from lookalike.cli.counting import counting
from lookalike.cli.numbers import whole_number
from lookalike.cli.options import command, device_option, json_option, output_file

if TYPE_CHECKING:
    from pathlib import Path

    from lookalike.evaluation.heatmap import HeatMap

_ENDINGS = (".png", ".svg", ".csv")


@command
@click.argument("folder", metavar="FOLDER")
@click.option("--captions", metavar="CSV", help="A CSV file: image, caption. The texts are captions, not class names.")
@click.option("--texts", metavar="FILE", help="The texts: one a line, the class it is right for and a tab before it.")
@click.option("--images", metavar="DIR", help="Where the images a CSV file names lie.  [default: beside it]")
@click.option("--classes", metavar="NAMES", default="", help="Only these classes, with commas between.")
@click.option("--per-class", metavar="N", type=whole_number(1), default=10, show_default=True, help="Pictures of each.")
@click.option("--out", metavar="FILE", multiple=True, help="Where to draw it: .png, .svg or .csv; may be given again.")
@click.option("--encoder", metavar="NAME", default="builtin", show_default=True, help="The encoder to look at.")
@device_option
@json_option
def heatmap(
    *,
    folder: str,
    captions: str | None,
    texts: str | None,
    images: str | None,
    classes: str,
    per_class: int,
    out: tuple[str, ...],
    encoder: str,
    device: str,
    as_json: bool,
) -> None:
    """Show how well texts tell classes of pictures apart, and which classes are taken for which.

    FOLDER holds a folder for each class, or is a CSV file: image, label. Each picture is compared with the name of
    each class, or with other texts. Nothing of yours is changed, and no collection is needed.
    """
    from lookalike.cli.opening import fetch_encoder
    from lookalike.evaluation.heatmap import heat_map, read_texts
    from lookalike.evaluation.judgements import read_captions, read_labels

    if captions and texts:
        raise click.UsageError("give either --captions or --texts")
    if wrong := [each for each in out if not each.lower().endswith(_ENDINGS)]:
        raise click.UsageError(f"--out {wrong[0]}: the name must end in {', '.join(_ENDINGS[:-1])} or {_ENDINGS[-1]}")
    files = [output_file("--out", each) for each in out]
    labels = read_labels(folder, images)
    there = sorted({picture.sayings[0] for picture in labels.pictures})
    made = heat_map(
        fetch_encoder(encoder, device),
        labels,
        captions=read_captions(captions, images) if captions else None,
        texts=read_texts(texts, there) if texts else None,
        per_class=per_class,
        classes=[name.strip() for name in classes.split(",") if name.strip()],
        progress=counting("encoding pictures"),
    )
    figures = made.as_dict()
    for file in files:
        _write(made, file)
    if as_json:
        printing.out_json(figures | {"out": [str(file.absolute()) for file in files]})
    else:
        _show(figures)
        for file in files:
            printing.note(f"written to {printing.printable(str(file))}")


def _write(map: HeatMap, out: Path) -> None:
    from lookalike.evaluation.heatmap import write_table
    from lookalike.evaluation.heatmap_picture import draw_heat_map

    if out.suffix.lower() == ".csv":
        write_table(map, out)
    else:
        draw_heat_map(map, out)


def _show(figures: dict[str, Any]) -> None:
    """The figures in words, and the most frequent confusions."""
    low, high = figures["best_interval"]
    counts = printing.count(figures["pictures"], "picture"), printing.count(figures["texts"], "text")
    printing.out(f"encoder {figures['encoder']}, {counts[0]}, {counts[1]}")
    printing.out()
    between = f"95 % between {100 * low:.1f} and {100 * high:.1f}"
    printing.out(f"best text of its own class  {100 * figures['best']:5.1f} %   {between}")
    printing.out(f"own text above another      {100 * figures['auc']:5.1f} %   (AUC; 50 % is chance)")
    printing.out(
        f"mean cosine                 {figures['own']:.3f} own, {figures['other']:.3f} other, "
        f"{figures['gap']:.1f} standard deviations apart"
    )
    printing.confusions(figures["confusions"], "class")
    printing.example_of(figures["skipped"], "skipped")

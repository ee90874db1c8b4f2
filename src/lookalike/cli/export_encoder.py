"""`lookalike export-encoder`: models of other makers as encoders, written once, compared, then used without torch."""

from __future__ import annotations

import time
from pathlib import Path

import click

from lookalike.cli import printing
from lookalike.cli.numbers import whole_number
from lookalike.cli.options import command, json_option


@command
@click.argument("model", metavar="LIBRARY:NAME")
@click.option("--out", metavar="DIR", required=True, help="Where the encoder goes.")
@click.option(
    "--weights",
    metavar="WHICH",
    default="published",
    show_default=True,
    help="published: downloaded by the library; random: to try things out; or a file.",
)
@click.option("--side", metavar="PIXELS", type=whole_number(32, 1024), help="Look at pictures of this size.")
@json_option
def export_encoder(*, model: str, out: str, weights: str, side: int | None, as_json: bool) -> None:
    """Write a model of timm, torchvision, open_clip, sentence-transformers or ruCLIP as an encoder.

    LIBRARY:NAME, for instance timm:convnext_tiny.fb_in22k, torchvision:resnet50, open_clip:ViT-B-32/laion2b_s34b_b79k,
    sentence-transformers:clip-ViT-B-32 or ruclip:ruclip-vit-base-patch32-384; for the last two also a folder. What is
    written is compared with the model; where they differ, nothing is written. Use it as --encoder DIR.
    """
    from importlib.util import find_spec

    from lookalike.core.errors import MissingExtra

    if find_spec("torch") is None or find_spec("onnx") is None:
        raise MissingExtra("exporting encoders", "export")
    from lookalike.training.exporters.choosing import export_model

    folder, chosen = Path(out).expanduser(), str(Path(weights).expanduser())
    began = time.perf_counter()
    try:
        exported = export_model(model, folder, weights=chosen, side=side)
    except ValueError as error:  # options that do not go together
        raise click.UsageError(str(error)) from error
    seconds = time.perf_counter() - began
    if as_json:
        printing.out_json({**exported.as_dict(), "seconds": round(seconds, 1)})
        return
    printing.out(
        f"{model} is the encoder {printing.printable(str(folder))}: {exported.dim} components, "
        f"{printing.size(exported.bytes)}, in {printing.duration(seconds)}."
    )
    for what, cosine in exported.parity.as_dict().items():
        printing.note(f"{what}s: cosine {min(cosine, 1.0):.7f} at least between its vectors and the model's")
    printing.note(f"Next: lookalike index PICTURES --encoder {printing.printable(str(folder))}")

"""What learns: how the built-in encoder is made, and how an encoder is tuned to a user's own pictures.

The built-in: pack photos, ask teachers, train two towers, export them to ONNX. Read `recipes` for what is trained on
what, then `steps` for the order: pack -> words -> targets -> train -> export. Each step writes plain files under one
data folder and skips what is already there, so a run can be stopped and continued at any point. `docs/training.md`
tells the story; `python -m lookalike.training --help` runs it.

Tuning: read `tune`, then `material` (what is learned from), `tuned` (what comes out) and `recipe_settings` (which
recipes there are). `docs/tuning.md` tells the story; `lookalike tune-encoder` runs it.

Exporting: `exporters` writes models of other makers as encoders. `docs/encoders.md`; `lookalike export-encoder`.

This is the only room that imports torch (extra `train`), in the modules that learn with it; nothing the library does
at run time imports those.
"""

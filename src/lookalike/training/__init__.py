"""How the built-in encoder is made: pack photos, ask teachers, train two towers, export them to ONNX.

Read `recipes` for what is trained on what, then `steps` for the order: pack -> words -> targets -> train -> export.
Each step writes plain files under one data folder and skips what is already there, so a run can be stopped and
continued at any point. `docs/training.md` tells the story; `python -m lookalike.training --help` runs it.

Needs the extra `train` (torch). This is the only room that imports torch; nothing the library does at run time
imports this room.
"""

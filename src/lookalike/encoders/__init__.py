"""Encoders: pictures and words to unit vectors, by ONNX Runtime, from files on this computer.

`load.load_encoder(name)` is the door: a built-in encoder, one of the catalogue (fetched once from a model hub), or a
local folder. The rest of the room serves it: `onnx_encoder` (towers, batches), `providers` (devices), `preprocess` and
`tokenise` (what the towers eat), `identity` (which encoder made these vectors), `catalogue` (data) and `download`, the
only module that ever touches a network. Encoders around encoders: `derived` (projections), `ensemble` (side by side),
`views` (several looks), `narrowed` (first components); `kinds` tells them apart, `derivation` says whose vectors follow
from whose.
"""

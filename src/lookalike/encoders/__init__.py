"""Encoders: pictures and words to unit vectors, by ONNX Runtime, from files on this computer.

`load.load_encoder(name)` is the door: a built-in encoder, one of the catalogue (fetched once from a model hub), or a
local folder. The rest of the room serves it: `onnx_encoder` (towers, batches), `providers` (devices), `preprocess` and
`tokenise` (what the towers eat), `narrowed` (vectors by their first components), `identity` (which encoder made these
vectors), `catalogue` (data) and `download`, the only module that ever touches a network.
"""

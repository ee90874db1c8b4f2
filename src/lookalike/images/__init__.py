"""Where pictures come from and how they are decoded: sources, safe decoding, EXIF, worker processes.

`folder` finds candidates without reading them, `decode` turns bytes into upright sRGB pixels, and
`decoding_pool` does that in worker processes, so that a bad file costs itself and nothing else.
"""

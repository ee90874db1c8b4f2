"""The preview inside a camera RAW file, by LibRaw (extra `raw`).

Developing sensor data takes seconds and a taste; every camera stores a finished JPEG beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

from lookalike.core.errors import CannotDecode
from lookalike.core.wording import Wording

_INSTALL = 'pip install "lookalike[raw]"'
_FLIP_TO_ORIENTATION = {0: 1, 3: 3, 5: 8, 6: 6}
"""LibRaw's flip -> EXIF orientation."""


@dataclass(frozen=True, slots=True)
class Preview:
    """`data`: a JPEG or PPM file. `width`, `height`: of the full upright picture."""

    data: bytes
    width: int
    height: int
    orientation: int


def embedded_preview(data: bytes) -> Preview:
    """The preview of a camera RAW file. Raises CannotDecode: "needs-extra", "damaged"."""
    try:
        import rawpy
    except ImportError:
        raise CannotDecode("needs-extra", Wording("raw_needs_part", install=_INSTALL), hint=_INSTALL) from None
    try:
        with rawpy.imread(BytesIO(data)) as raw:
            thumb = raw.extract_thumb()
            sizes = raw.sizes
            if thumb.format == rawpy.ThumbFormat.JPEG:
                content = bytes(thumb.data)
            else:
                height, width = thumb.data.shape[:2]
                content = b"P6 %d %d 255\n" % (width, height) + thumb.data.tobytes()
    except Exception as error:  # LibRaw's many errors, and what its wrapper makes of garbage
        raise CannotDecode("damaged", Wording("raw_damaged", told=str(error))) from error
    orientation = _FLIP_TO_ORIENTATION.get(sizes.flip, 1)
    width, height = (sizes.height, sizes.width) if orientation >= 5 else (sizes.width, sizes.height)
    return Preview(content, width, height, orientation)

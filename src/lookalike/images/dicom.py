"""A medical picture (DICOM) as a person is shown it, by pydicom (extra `dicom`).

Of several frames the middle one is shown: first and last are often empty. Values go through the modality table and the
first window that the file names (DICOM PS3.3, C.11.2.1.2); without one, between the darkest and the brightest but for a
half percent at each end. MONOCHROME1 is turned round.

Promises: nothing about the patient is read, nor about who examined whom and where.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from lookalike.core.errors import CannotDecode
from lookalike.core.fields import date_text
from lookalike.core.wording import Wording
from lookalike.images.moments import moment_of
from lookalike.images.values import clean_text, known

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

_INSTALL = 'pip install "lookalike[dicom]"'
_DATES = (("AcquisitionDate", "AcquisitionTime"), ("ContentDate", "ContentTime"), ("SeriesDate", "SeriesTime"))
_OUTLIERS_PERCENT = 0.5
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_LARGEST_DEFLATED_BYTES = 2_000_000
"""pydicom inflates such a file whole, to as much as 1032 times its size: 2 GB, what any other file may have."""


@dataclass(frozen=True, slots=True)
class Frame:
    """`image`: mode L or RGB. `metadata`: "modality", "body_part", "frames", and when it was taken."""

    image: Image
    metadata: dict[str, Any]


def middle_frame(data: bytes, *, max_pixels: int) -> Frame:
    """The picture in a file. Raises CannotDecode: "needs-extra", "unsupported", "too-big", "too-large"; anything else
    if damaged.
    """
    try:
        import pydicom
        from pydicom.pixels.utils import pixel_array
    except ImportError:
        raise CannotDecode("needs-extra", Wording("dicom_needs_part", install=_INSTALL), hint=_INSTALL) from None
    from PIL import Image

    if len(data) > _LARGEST_DEFLATED_BYTES and _DEFLATED in data:
        raise CannotDecode("too-big", Wording("dicom_too_big", most=_LARGEST_DEFLATED_BYTES))
    said = pydicom.dcmread(BytesIO(data))
    if "PixelData" not in said:
        raise CannotDecode("unsupported", Wording("dicom_empty"))
    width, height = int(said.Columns), int(said.Rows)
    if width * height > max_pixels:
        what = Wording("too_many_pixels", width=str(width), height=str(height), most=max_pixels)
        raise CannotDecode("too-large", what)
    frames = int(said.get("NumberOfFrames") or 1)
    try:
        pixels = pixel_array(said, index=frames // 2)
    except RuntimeError as error:  # pydicom has a plugin for each compression, or has not
        kind = said.file_meta.TransferSyntaxUID.name
        raise CannotDecode("unsupported", Wording("dicom_compressed", told=kind)) from error
    return Frame(Image.fromarray(_as_shown(said, pixels)), _metadata(said, frames))


def _as_shown(said: Any, pixels: NDArray[Any]) -> NDArray[Any]:
    """uint8, (height, width) or (height, width, 3)."""
    import numpy as np
    from pydicom.pixels.processing import apply_color_lut, apply_modality_lut

    if said.PhotometricInterpretation == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, said)
    if pixels.ndim == 3:
        deepest = 255 if pixels.max(initial=0) < 256 else (1 << 8 * pixels.dtype.itemsize) - 1
        return np.asarray(pixels * (255.0 / deepest), dtype=np.uint8)
    shares = _windowed(said, apply_modality_lut(pixels, said).astype(np.float64))
    if said.PhotometricInterpretation == "MONOCHROME1":
        shares = 1 - shares
    return np.asarray(np.rint(shares * 255), dtype=np.uint8)


def _windowed(said: Any, values: NDArray[Any]) -> NDArray[Any]:
    """From 0 for black to 1 for white."""
    import numpy as np

    center, width = _first(said.get("WindowCenter")), _first(said.get("WindowWidth"))
    kind = said.get("VOILUTFunction", "LINEAR")
    if center is None or width is None or width < 1:
        low, high = np.percentile(values, (_OUTLIERS_PERCENT, 100 - _OUTLIERS_PERCENT))
        shares = (values - low) / max(high - low, 1e-6)
    elif kind == "SIGMOID":
        shares = 1 / (1 + np.exp(np.clip(-4 * (values - center) / width, -50, 50)))
    elif kind == "LINEAR_EXACT":
        shares = (values - center) / width + 0.5
    else:
        shares = (values - (center - 0.5)) / max(width - 1, 1e-6) + 0.5
    return np.asarray(np.clip(shares, 0, 1))


def _first(value: Any) -> float | None:
    """A number, or the first of several."""
    try:
        return float(value if isinstance(value, str | float | int) else value[0])
    except (TypeError, ValueError, IndexError):
        return None


def _metadata(said: Any, frames: int) -> dict[str, Any]:
    taken = next((found for names in _DATES if (found := _moment(*(said.get(name) for name in names)))), "")
    return known(
        {
            "taken": taken,
            "taken_from": "dicom" if taken else "",
            "modality": clean_text(said.get("Modality")),
            "body_part": clean_text(said.get("BodyPartExamined")),
            "frames": frames if frames > 1 else None,
        }
    )


def _moment(day: Any, time: Any) -> str:
    """20190503 and 171022.5"""
    date, clock = clean_text(day), clean_text(time)
    text = f"{date[:4]}-{date[4:6]}-{date[6:8]}"
    if len(clock) >= 6:
        text += f" {clock[:2]}:{clock[2:4]}:{clock[4:6]}{clock[6:]}"
    moment = moment_of(text)
    return "" if moment is None else date_text(moment)

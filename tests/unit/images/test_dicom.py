"""DICOM files: made here with pydicom, shown as a radiologist would see them."""

from __future__ import annotations

import io

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, JPEGLSLossless, generate_uid

from lookalike.core.errors import CannotDecode
from lookalike.core.records import Asset, DecodeLimits
from lookalike.images.decode import decode_picture
from lookalike.images.folder import folder

RAMP = np.tile(np.arange(256, dtype=np.uint16) * 16, (64, 1))
"""Twelve bits from dark on the left to bright on the right."""


def dicom(pixels=RAMP, *, frames=1, **tags):
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", generate_uid()
    said = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    said.PatientName, said.PatientID, said.InstitutionName = "Doe^Jane", "4711", "Hospital"
    said.Modality, said.BodyPartExamined, said.PhotometricInterpretation = "CT", "CHEST", "MONOCHROME2"
    said.Rows, said.Columns = pixels.shape[-2:] if pixels.ndim < 4 else pixels.shape[1:3]
    said.SamplesPerPixel, said.PixelRepresentation = 1, 0
    said.BitsAllocated = said.BitsStored = 8 * pixels.dtype.itemsize
    said.HighBit = said.BitsStored - 1
    if frames > 1:
        said.NumberOfFrames = frames
    said.PixelData = pixels.tobytes()
    for name, value in tags.items():
        setattr(said, name, value)
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, said, enforce_file_format=True)
    return stream.getvalue()


def grey(data):
    """The values along the middle row."""
    return decode_picture(data).pixels[32, :, 0].astype(int)


def test_without_a_window_the_whole_range_is_shown():
    values = grey(dicom())
    assert values[0] == 0
    assert values[-1] == 255
    assert np.all(np.diff(values) >= 0)


def test_a_window_decides_what_is_black_and_what_is_white():
    values = grey(dicom(WindowCenter=["2048", "40"], WindowWidth=["1024", "80"]))
    assert values[95] == 0
    assert values[161] == 255
    assert abs(values[128] - 128) <= 1


def test_rescaling_counts_before_the_window():
    values = grey(dicom(RescaleSlope="0.5", RescaleIntercept="-1000", WindowCenter="24", WindowWidth="512"))
    assert abs(values[128] - 128) <= 1


def test_a_deflated_file_is_not_inflated_without_limit(monkeypatch):
    monkeypatch.setattr(pydicom, "dcmread", lambda *_: pytest.fail("it was read"))
    huge = dicom().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99") + b"\0" * 2_000_000
    with pytest.raises(CannotDecode) as caught:
        decode_picture(huge)
    assert caught.value.code == "too-big"


def test_monochrome1_is_shown_the_other_way_round():
    values = grey(dicom(PhotometricInterpretation="MONOCHROME1"))
    assert values[0] == 255
    assert values[-1] == 0


def test_of_several_frames_the_middle_one_is_shown():
    frames = np.stack([np.full((64, 64), level, dtype=np.uint8) for level in (0, 40, 120, 200, 0)])
    found = decode_picture(dicom(frames, frames=5, WindowCenter="127.5", WindowWidth="256"))
    assert abs(int(found.pixels[0, 0, 0]) - 120) <= 1
    assert found.metadata["frames"] == 5


def test_colour_pictures_keep_their_colours():
    red = np.zeros((32, 48, 3), dtype=np.uint8)
    red[..., 0] = 210
    found = decode_picture(
        dicom(red, SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0, Rows=32, Columns=48)
    )
    assert found.pixels[5, 5].tolist() == [210, 0, 0]
    assert (found.width, found.height) == (48, 32)


def test_nothing_about_the_patient_is_kept():
    found = decode_picture(dicom(AcquisitionDate="20190503", AcquisitionTime="171022.25")).metadata
    assert found["taken"] == "2019-05-03T17:10:22.250"
    assert (found["taken_from"], found["modality"], found["body_part"]) == ("dicom", "CT", "CHEST")
    assert not any(secret in str(found) for secret in ("Doe", "Jane", "4711", "Hospital"))


def test_a_file_without_its_own_suffix_is_known_by_its_content(tmp_path):
    (tmp_path / "IM0001").write_bytes(dicom())
    assert [each.key for each in folder(tmp_path).assets() if isinstance(each, Asset)] == [b"IM0001"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (dicom(PixelData=b"\0" * 7), "damaged"),
        (dicom()[:400], "unsupported"),
        (dicom().replace(ExplicitVRLittleEndian.encode() + b"\0", JPEGLSLossless.encode()[:20].ljust(20, b"\0")), None),
    ],
)
def test_what_cannot_be_shown_is_said(data, code):
    with pytest.raises(CannotDecode) as caught:
        decode_picture(data)
    assert code is None or caught.value.code == code


def test_a_picture_beyond_the_limit_is_not_unpacked():
    with pytest.raises(CannotDecode) as caught:
        decode_picture(dicom(), limits=DecodeLimits(max_pixels=1000))
    assert caught.value.code == "too-large"

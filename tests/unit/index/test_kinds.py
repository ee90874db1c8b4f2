"""Specs and operating points survive JSON, refuse nonsense, and know how large their files get."""

from __future__ import annotations

import json

import pytest

from lookalike.index.building import build
from lookalike.index.kinds import (
    KINDS,
    IndexSpec,
    OperatingPoint,
    default_point,
    default_spec,
    efforts,
    estimated_bytes,
    richer,
)
from lookalike.index.manifest import read_manifest


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 2, 1000, 10_000_000])
def test_every_kind_has_parameters_for_every_size(kind, count):
    spec = default_spec(kind, count, 256)
    assert IndexSpec.from_dict(json.loads(json.dumps(spec.as_dict()))) == spec
    assert spec.nlist <= count
    point = default_point(spec)
    assert OperatingPoint.from_dict(json.loads(json.dumps(point.as_dict()))) == point
    tried = efforts(spec, count)
    assert list(tried) == sorted(set(tried))
    if spec.nlist:
        assert tried[-1] == spec.nlist


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "cover-tree"},
        {"kind": "ivf-flat", "nlist": -1},
        {"kind": "ivf-flat", "nlist": "7"},
        {"kind": "ivf-flat", "lists": 7},
        {"kind": "ivf-flat", "bits": 2},
        {"kind": "ivf-rabitq", "nlist": 7},
        {"kind": "ivf-rabitq", "nlist": 7, "bits": 9},
        {},
    ],
)
def test_what_is_no_spec_is_refused(values):
    with pytest.raises(ValueError):
        IndexSpec.from_dict(values)


def test_codes_get_richer_to_an_end():
    spec: IndexSpec | None = IndexSpec("ivf-rabitq", nlist=4, bits=1)
    bits = []
    while spec is not None:
        bits.append((spec.nlist, spec.bits))
        spec = richer(spec)
    assert bits == [(4, 1), (4, 2), (4, 4), (4, 8)]
    assert richer(IndexSpec("ivf-sq8", nlist=4)) is None


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 8])
def test_the_size_of_richer_codes_is_known_too(rows, identity, tmp_path, bits):
    spec = IndexSpec("ivf-rabitq", nlist=20, bits=bits)
    made = build(spec, rows, tmp_path / "a", identity=identity, threads=1)
    assert made.bytes == pytest.approx(estimated_bytes(spec, *rows.shape), rel=0.05)


@pytest.mark.parametrize("values", [{}, {"effort": 0, "fetch": 1}, {"effort": 1}, {"effort": "x", "fetch": 1}])
def test_what_is_no_operating_point_is_refused(values):
    with pytest.raises(ValueError):
        OperatingPoint.from_dict(values)


@pytest.mark.parametrize("dim", [1, 7, 256, 384, 512])
def test_bytes_of_a_product_code_divide_the_dimension(dim):
    assert dim % default_spec("ivf-pq", 10_000, dim).m == 0


@pytest.mark.parametrize("kind", KINDS)
def test_the_size_of_a_file_is_known_before_it_is_built(built, kind):
    path = built(kind, 1200)
    spec = read_manifest(path).spec
    fixed = 4 * 32 * 256 + 12_000  # a codebook, headers, lists' own sizes
    assert path.stat().st_size == pytest.approx(estimated_bytes(spec, 1200, 32), rel=0.3, abs=fixed)

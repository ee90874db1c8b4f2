"""Masks are packed bit by bit; frozen ones once, and for no longer than they live."""

from __future__ import annotations

import numpy as np

from lookalike.index.masks import MaskPacker


def mask(count=1001, seed=0):
    return np.random.default_rng(seed).random(count) < 0.5


def test_bits_say_what_the_mask_says():
    for count in (0, 1, 8, 1001):
        allowed = mask(count)
        bits = np.unpackbits(MaskPacker().bits(allowed), count=count, bitorder="little")
        np.testing.assert_array_equal(bits.astype(bool), allowed)


def test_a_frozen_mask_is_packed_once_also_through_views():
    packer, allowed = MaskPacker(), mask()
    allowed.flags.writeable = False
    assert packer.bits(allowed) is packer.bits(allowed)
    assert packer.bits(allowed[:500]) is packer.bits(allowed[:500])
    assert packer.bits(allowed[:500]) is not packer.bits(allowed[1:501])


def test_a_mask_that_can_change_is_packed_each_time():
    packer, allowed = MaskPacker(), mask()
    view = allowed[:500]
    view.flags.writeable = False
    for each in (allowed, view):
        first = packer.bits(each)
        allowed[:] = ~allowed
        np.testing.assert_array_equal(packer.bits(each)[:-1], ~first[:-1])


def test_what_is_kept_goes_with_its_mask():
    packer = MaskPacker()
    for seed in range(50):
        allowed = mask(seed=seed)
        allowed.flags.writeable = False
        bits = np.unpackbits(packer.bits(allowed), count=len(allowed), bitorder="little")
        np.testing.assert_array_equal(bits.astype(bool), allowed)
        del allowed
    assert not packer._kept

"""Charts: what is drawn, where, and what is written beside it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from lookalike.evaluation.chart import SIZE, Axis, Line, draw_chart

BLUE, ORANGE = (0, 114, 178), (213, 94, 0)


def drawn(tmp_path, *lines, x=None, y=None):
    out = tmp_path / "chart.png"
    draw_chart("A chart", lines, x or Axis("recall"), y or Axis("milliseconds", scale="log"), out)
    with Image.open(out) as image:
        assert (image.format, image.size) == ("PNG", SIZE)
        return np.asarray(image.convert("RGB"))


def middle(pixels, colour):
    """Where a colour lies in the chart, beside the legend: columns and rows, mean."""
    rows, columns = np.nonzero((pixels[:, :970] == colour).all(axis=-1))
    return columns.mean(), rows.mean()


def test_more_lies_further_right_and_further_up(tmp_path):
    pixels = drawn(tmp_path, Line("low", ((0.5, 1.0),)), Line("high", ((0.9, 10.0),)))
    low, high = middle(pixels, BLUE), middle(pixels, ORANGE)
    assert low[0] < high[0]
    assert low[1] > high[1]


def test_a_logarithmic_axis_gives_equal_factors_equal_steps(tmp_path):
    lines = [Line("a", ((1.0, 1.0),)), Line("b", ((1.0, 10.0),)), Line("c", ((1.0, 100.0),))]
    pixels = drawn(tmp_path, *lines, x=Axis("x"))
    places = [middle(pixels, colour)[1] for colour in (BLUE, ORANGE, (0, 158, 115))]
    assert places[0] - places[1] == pytest.approx(places[1] - places[2], abs=4)  # a triangle lies low in its box


def test_what_was_chosen_stands_out(tmp_path):
    plain = drawn(tmp_path, Line("a", ((1.0, 1.0),)))
    chosen = drawn(tmp_path, Line("a", ((1.0, 1.0),), chosen=0))
    assert (chosen == BLUE).all(axis=-1).sum() > 1.5 * (plain == BLUE).all(axis=-1).sum()


def test_equal_input_draws_equal_pixels(tmp_path):
    line = Line("a", ((0.1, 0.0), (0.5, 3.0)))
    assert (drawn(tmp_path, line) == drawn(tmp_path, line)).all()


def test_a_mark_is_always_on_the_chart(tmp_path):
    pixels = drawn(tmp_path, Line("a", ((0.5, 1.0), (0.6, 2.0))), x=Axis("recall", mark=0.95))
    assert middle(pixels, BLUE)[0] < 500


def test_nothing_to_draw_is_refused(tmp_path):
    with pytest.raises(ValueError, match="nothing to draw"):
        draw_chart("A chart", [Line("a", ())], Axis("x"), Axis("y"), tmp_path / "chart.png")

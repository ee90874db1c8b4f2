"""Makes `images/data/colour_names.bin`: what people call each colour, in twelve words.

    pip install matplotlib && python tools/make_colour_names.py

Source: the XKCD colour name survey (2010; 222,500 people named random colours; released as CC0), whose 949 names
matplotlib carries. A name counts for the basic word it ends with ("dark sky blue": blue), or for the one its last word
belongs to ("teal": turquoise). Each cell of RGB, five bits a channel, gets the word of the nearest named colours in
OKLab (B. Ottosson, 2020), five of them, nearer ones counting more. The survey has hardly a name for black and white
(their neighbours are all "dark something"), so what is almost without colour is told by its lightness alone.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
from matplotlib.colors import XKCD_COLORS

from lookalike.images.colour_names import COLOURS, VIVID

TARGET = Path(__file__).parents[1] / "src/lookalike/images/data/colour_names.bin"
BELONG = {
    "grey": "charcoal",
    "red": "maroon burgundy wine",
    "orange": "peach",
    "brown": "tan beige taupe umber sienna chocolate ochre sand",
    "yellow": "gold mustard",
    "green": "olive lime sage mint",
    "turquoise": "teal aqua cyan aquamarine",
    "blue": "navy marine",
    "purple": "violet lavender lilac mauve plum eggplant indigo",
    "pink": "rose magenta salmon fuchsia",
}
LIGHTNESS_WEIGHT = 0.6  # two colours of a name differ more in lightness than in hue
NEIGHBOURS = 5
VIVID_CHROMA = 0.11  # of OKLab, where pure red has 0.26: what catches the eye


def oklab(rgb: np.ndarray) -> np.ndarray:
    shares = np.asarray(rgb, float) / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return np.cbrt(linear @ cones.T) @ lab.T


def named() -> tuple[np.ndarray, np.ndarray]:
    """Colours that people named, in OKLab, and the number of the word each counts for."""
    word_of = {word: word for word in COLOURS}
    word_of |= {each: word for word, others in BELONG.items() for each in others.split()}
    found = [
        (value, word_of[name.split()[-1]])
        for name, value in ((name.removeprefix("xkcd:"), value) for name, value in XKCD_COLORS.items())
        if name.split()[-1] in word_of and "/" not in name
    ]
    rgb = [[int(value[at : at + 2], 16) for at in (1, 3, 5)] for value, _ in found]
    return oklab(np.array(rgb)), np.array([COLOURS.index(word) for _, word in found])


def table() -> np.ndarray:
    """uint8 (32768,): the word of each cell, plus VIVID where it catches the eye."""
    points, words = named()
    cells = oklab(np.stack(np.meshgrid(*[np.arange(32) * 8 + 4] * 3, indexing="ij"), -1).reshape(-1, 3))
    weights = np.array([LIGHTNESS_WEIGHT, 1, 1])
    far = np.sqrt((((cells[:, None] - points) * weights) ** 2).sum(-1))
    near = np.argsort(far, axis=1)[:, :NEIGHBOURS]
    each = np.arange(len(cells))
    votes = np.zeros((len(cells), len(COLOURS)))
    for place in near.T:
        votes[each, words[place]] += 1 / (far[each, place] + 0.01)
    chosen = votes.argmax(axis=1)
    lightness, chroma = cells[:, 0], np.hypot(cells[:, 1], cells[:, 2])
    chosen[chroma < 0.035] = COLOURS.index("grey")
    chosen[(lightness < 0.30) & (chroma < 0.045) | (lightness < 0.2) & (chroma < 0.07) | (lightness < 0.13)] = 0
    chosen[(lightness > 0.87) & (chroma < 0.03)] = COLOURS.index("white")
    neutral = COLOURS.index("white")
    return (chosen + VIVID * ((chroma > VIVID_CHROMA) & (chosen > neutral))).astype(np.uint8)


if __name__ == "__main__":
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_bytes(zlib.compress(table().tobytes(), 9))
    print(f"{TARGET}: {TARGET.stat().st_size:,} bytes")

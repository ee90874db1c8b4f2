"""The city a picture was taken in, from its position, without a network.

A position belongs to the city whose edge is nearest, and a city is a disc as large as its people need: in the middle of
London that is London, not one of its boroughs. Beyond `FARTHEST_KM` of any centre there is no city to name. The country
is that of the city, so close to a border it can be the neighbour's.

Data: GeoNames (www.geonames.org), CC BY 4.0; `tools/make_cities.py` makes the table. In it, sorted by degree squares:
cell, latitude, longitude, radius, country (16-bit numbers each), then the names. It is read at the first position.
"""

from __future__ import annotations

import json
import math
import sys
import zlib
from array import array
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

COORDINATE_STEPS = 180
"""Steps of a degree in the table: 0.6 km."""
RADIUS_STEPS = 100
"""Steps of a kilometre."""
FARTHEST_KM = 100
_KM_PER_DEGREE = 111.2
_NEAR_KM = 33.0
"""Looked through first: no city reaches farther than 30 km, so nothing outside beats one whose edge is 3 km away."""
LARGEST_RADIUS_KM = 30.0


def with_city(facts: dict[str, Any]) -> dict[str, Any]:
    """`facts` with "city" and "country" of their position, unless they name a place themselves."""
    if "latitude" not in facts or "city" in facts:
        return facts
    found = nearest_city(facts["latitude"], facts["longitude"])
    if found is None or facts.get("country", found[1]) != found[1]:
        return facts
    return {**facts, "city": found[0], "country": found[1]}


def nearest_city(latitude: float, longitude: float) -> tuple[str, str] | None:
    """City and country, in English. Degrees, north and east positive."""
    return _nearest(round(latitude, 2), round(longitude, 2))  # a kilometre: pictures of one place ask once


def cell_of(latitude: float, longitude: float) -> int:
    """The number of the degree square."""
    return min(math.floor(latitude) + 90, 179) * 360 + (math.floor(longitude) + 180) % 360


@lru_cache(maxsize=4096)
def _nearest(latitude: float, longitude: float) -> tuple[str, str] | None:
    table = _table()
    best, edge = -1, math.inf
    for within in (_NEAR_KM, float(FARTHEST_KM)):
        for row, distance in table.around(latitude, longitude, within):
            if distance - table.radii[row] / RADIUS_STEPS < edge:
                best, edge = row, distance - table.radii[row] / RADIUS_STEPS
        if edge <= within - LARGEST_RADIUS_KM:
            break
    return None if best < 0 else (table.names[best], table.countries[table.country[best]])


@dataclass(frozen=True, slots=True)
class _Table:
    cells: array[int]
    latitudes: array[int]
    longitudes: array[int]
    radii: array[int]
    country: array[int]
    names: list[str]
    countries: list[str]

    def around(self, latitude: float, longitude: float, within_km: float) -> Iterator[tuple[int, float]]:
        """Rows of cities up to `within_km` away, and how far, in kilometres; on so short a way the earth is flat."""
        narrowing = max(math.cos(math.radians(latitude)), 0.01)
        high = within_km / _KM_PER_DEGREE
        wide = min(high / narrowing, 180.0)
        for south in range(math.floor(max(latitude - high, -90)), math.floor(min(latitude + high, 89)) + 1):
            for west in range(math.floor(longitude - wide), math.floor(longitude + wide) + 1):
                cell = cell_of(south, west)
                for row in range(bisect_left(self.cells, cell), bisect_left(self.cells, cell + 1)):
                    north = self.latitudes[row] / COORDINATE_STEPS - latitude
                    east = (self.longitudes[row] / COORDINATE_STEPS - longitude + 180) % 360 - 180
                    distance = math.hypot(north, east * narrowing) * _KM_PER_DEGREE
                    if distance <= within_km:
                        yield row, distance


@cache
def _table() -> _Table:
    content = zlib.decompress((Path(__file__).parent / "data" / "cities.bin").read_bytes())
    count, at = int.from_bytes(content[:4], "little"), 4
    columns: list[array[int]] = []
    for kind in "HhhHH":
        column = array(kind, content[at : at + 2 * count])
        if sys.byteorder == "big":
            column.byteswap()
        columns.append(column)
        at += 2 * count
    words = json.loads(content[at:])
    cells, latitudes, longitudes, radii, country = columns
    return _Table(cells, latitudes, longitudes, radii, country, words["names"], words["countries"])

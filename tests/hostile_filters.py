"""Filters that nobody means well with, and nonsense made of parts of good ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

INJECTIONS = [
    "' OR '1'='1",
    "colour = 'x' OR 1=1 --",
    "colour = 'x'; DROP TABLE items; --",
    "colour = 'x'' OR ''1''=''1'",
    'colour = "x" UNION SELECT value FROM settings',
    "colour = '\\'; DELETE FROM pictures; --'",
    "colour in ('a') UNION SELECT 1,2,3",
    "colour ~ '%'",
    "colour ~ '_'",
    "colour = '?'",
    "colour = ':1'",
    "`colour') OR 1=1 --` = x",
    '`colour" OR 1=1 --` = x',
    "`$.colour` = red",
    "metadata.`x` = 1",
    "`metadata.colour' OR 1` = red",
    "price = 1 OR 1=1",
    "price = 1; ATTACH DATABASE 'x' AS y",
    "price < (SELECT max(price) FROM items)",
    "price = load_extension('x')",
    "price = 1e999",
    "price = -1e999",
    "price = nan",
    "price = " + "9" * 400,
    "price = 0x10",
    "price = ١٢٣",
    "id = id",
    "id in (select id from items)",
    "has price; PRAGMA writable_schema = 1",
    "price = 1 /* x */",
    "price = 1 -- x",
    "name = 'a\x00b'",
    "colour = '\udcff'",
    "taken = 9999-99-99",
    "taken = 2024-02-30",
    "taken > -99999y",
    "taken = 0000",
    "folder = '../../etc/passwd'",
    "colour = ${jndi:ldap://x}",
    "colour = {0.__class__.__mro__}",
    "colour = '{}'",
    "colour = '{0}%s%n'",
    "{} = 1",
    "`{}` = 1",
    "``` = 1",
    "__class__ = 1",
    "not " * 3000 + "has price",
    "(" * 9000 + "has price" + ")" * 9000,
    "(" * 20000,
    "not " * 20 + "has price",
    "has price and (" * 20 + "has price" + ")" * 20,
    "(" * 20 + "has price" + " or has colour) and has price" * 20,
    "(has price and not (" * 10 + "has price" + " or has colour))" * 10,
    "not (not (" * 10 + "has price" + " or has colour) and has price)" * 10,
    "has price and " * 1000 + "has price",
    "has price and " * 99 + "has price",
    "price in (" + "1," * 9000 + "1)",
    "colour in (" + "a," * 9000 + "b)",
    "'" * 19999,
    "`" * 19998,
    '"' + "a" * 25000 + '"',
    "colour = " + "a " * 9000,
    "\u202ecolour = red",
    "colour\u200b = red",
    "сolour = red",
    "colour = red\x1b[31m",
]
PARTS = (  # noqa: SIM905 a list of them is four times as long
    "price colour taken tags size name folder id file.size metadata.colour `colour` nobody and or not in has ( ) , "
    "= != < <= > >= ~ !~ == <> red pink 50 -1 2.5 10 MB 2024 2024-05 2024-05-03 today -7d "
    "yes no \"a b\" 'x' \" ' ` ; -- /* % _ ? : $ \\ "
    "{ } [ ] & | ^ # @ й Ё \u0301 \u200b \x00 \ud800 😀 NULL SELECT 1=1"
).split(" ")


def drawn_filters(draw: random.Random, count: int) -> Iterator[str]:
    """Parts at random, good filters with a few letters changed, and letters of all kinds."""
    good = "price < 50 and colour in (red, 'pink') and taken >= 2024-05 and not folder ~ \"sea\" or has `tags`"
    for one in range(count):
        if one % 3 == 0:
            glue = draw.choice(["", " ", " "])
            yield glue.join(draw.choice(PARTS) for _ in range(draw.randrange(1, 30)))
        elif one % 3 == 1:
            letters = list(good)
            for _ in range(draw.randrange(1, 5)):
                at = draw.randrange(len(letters))
                letters[at : at + draw.randrange(3)] = draw.choice([*PARTS, ""])
            yield "".join(letters)
        else:
            yield "".join(
                chr(draw.choice([draw.randrange(128), draw.randrange(0x110000)])) for _ in range(draw.randrange(60))
            )

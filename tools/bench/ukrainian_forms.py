"""How many pairs of forms of one Ukrainian word meet: python tools/bench/ukrainian_forms.py

With the extra `ukrainian`, and without. All forms of 96 everyday words come from the extra's dictionary, so it has to
be there.
"""

from __future__ import annotations

import itertools
import json

import pymorphy3
import pymorphy3_dicts_uk

from lookalike.store import word_forms

WORDS = """
сорочка кіт стіл синій червоний жіночий чоловічий взуття сукня черевик годинник сумка пес дівчина кімната море
гора дорога ніч вікно книга річка хлопець собака дерево квітка місто вулиця машина велосипед людина дитина
жінка чоловік сонце хмара сніг дощ трава ліс поле озеро міст церква школа парк кухня двері стілець лампа чашка
тарілка яблуко хліб риба птах кінь корова вівця куртка штани футболка светр шапка рукавичка пальто спідниця
білий чорний зелений жовтий блакитний сірий коричневий рожевий великий малий старий новий гарний дитячий
літній зимовий шкіряний смугастий картатий гроші ключ олівець папір стіна стеля підлога дах міська сільський
""".split()  # noqa: SIM905 as one reads them


def main() -> None:
    dictionary = pymorphy3.MorphAnalyzer(path=pymorphy3_dicts_uk.get_path(), lang="uk")
    forms = {word: sorted({form.word for form in dictionary.parse(word)[0].lexeme}) for word in WORDS}
    pairs = [pair for its in forms.values() for pair in itertools.combinations(its, 2)]
    report = {"words": len(WORDS), "pairs of forms": len(pairs), "with the extra": share(pairs)}
    word_forms._ukrainian = lambda: None  # noqa: SLF001 as if it were not installed
    word_forms.forms_of.cache_clear()
    report["without"] = share(pairs)
    print(json.dumps(report, indent=1))


def share(pairs: list[tuple[str, str]]) -> float:
    met = sum(bool({*word_forms.forms_of(one)} & {*word_forms.forms_of(other)}) for one, other in pairs)
    return round(met / len(pairs), 3)


if __name__ == "__main__":
    main()

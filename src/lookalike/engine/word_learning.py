"""Teaching a collection what its commonest words mean to its encoder, so that questions in other languages find them.

Done at the end of a run, for what is new; a few seconds the first time. An encoder without a text tower knows no words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from lookalike.core.protocols import Encoder
    from lookalike.store.collection_store import Space, Writer

AT_ONCE = 64
"""Words encoded together, between two looks at the stop sign."""


def learn_words(
    writer: Writer, space: Space, encoder_of: Callable[[], Encoder], stop: threading.Event | None = None
) -> int:
    """Encode and keep the common words that are not known yet; returns how many. May be stopped and go on later.

    `encoder_of` is asked only when there is something to learn: a run that changes nothing loads no encoder.
    """
    wanted = list(writer.words_to_learn(space).items())
    if not wanted or "text" not in (encoder := encoder_of()).modalities:
        return 0
    done = 0
    for start in range(0, len(wanted), AT_ONCE):
        if stop is not None and stop.is_set():
            break
        some = wanted[start : start + AT_ONCE]
        writer.put_word_vectors(space, [stem for stem, _ in some], encoder.encode_texts([word for _, word in some]))
        done += len(some)
    return done

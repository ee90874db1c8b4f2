"""Which encoder a collection is searched and filled with: the one it was made with, loaded when it is first needed."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from lookalike.core.errors import EncoderError, EncoderMismatch, EncoderUnavailable
from lookalike.engine.nameless import NamelessEncoder, is_nameless

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lookalike.core.arrays import Vectors
    from lookalike.core.protocols import Encoder
    from lookalike.store.collection_store import Space, Store


class Holder(Protocol):
    """What holds vectors: a store, or an engine elsewhere."""

    @property
    def path(self) -> Path | str: ...

    def current_space(self) -> Space | None: ...


class EncoderChoice:
    """The encoders of one opened collection."""

    def __init__(
        self, store: Store | Holder, *, device: str, models_dir: Path | None, notice: Callable[[str], None] | None
    ) -> None:
        self._store = store
        self._device = device
        self._models_dir = models_dir
        self._notice = notice
        self._loaded: dict[str, Encoder] = {}
        self._chosen: Encoder | None = None
        self._loading = threading.Lock()

    def choose(self, asked: str | Encoder) -> None:
        """Take `asked` for a new collection. Raises EncoderMismatch where there are pictures by another one."""
        from lookalike.encoders.catalogue import is_builtin
        from lookalike.encoders.identity import same_vectors

        space = self._store.current_space()
        encoder = self._chosen = self.load(asked)
        if space is None or same_vectors(encoder.id, space.encoder_id):  # its folder may have another name by now
            return
        earlier_builtin = is_builtin(encoder.name) and encoder.name == space.encoder_name
        if not earlier_builtin:  # that one goes on as it was made; moving to the present one is offered, not forced
            raise EncoderMismatch(
                f"the collection {self._store.path} was made with the encoder {space.encoder_name}, not {encoder.name}",
                hint=f"lookalike migrate --encoder {asked if isinstance(asked, str) else asked.name} moves it; "
                "searches work meanwhile",
            )

    def current(self) -> Encoder:
        """The encoder of the collection; of a new one the one that was chosen, else the built-in."""
        space = self._store.current_space()
        if space is not None:
            return self.of(space)
        if self._chosen is None:
            self._chosen = self.load("builtin")
        return self._chosen

    def of(self, space: Space) -> Encoder:
        """The encoder of `space`: one at hand, else loaded by its id."""
        if is_nameless(space.encoder_id):
            return NamelessEncoder(space.encoder_id, space.dim)
        if space.encoder_id in self._loaded:
            return self._loaded[space.encoder_id]
        from lookalike.encoders.load import load_encoder_by_id

        with self._loading:  # of threads that ask at once the others wait: loading takes seconds and much memory
            if space.encoder_id not in self._loaded:
                self._loaded[space.encoder_id] = load_encoder_by_id(
                    space.encoder_id, device=self._device, models_dir=self._models_dir, notice=self._notice
                )
            return self._loaded[space.encoder_id]

    def at_hand(self, space: Space) -> Encoder | None:
        """The encoder of `space` to see what it is made of; None where it is not here. Nobody is told anything."""
        if space.encoder_id in self._loaded or is_nameless(space.encoder_id):
            return self._loaded.get(space.encoder_id)
        from lookalike.encoders.load import load_encoder_by_id

        with suppress(EncoderError):
            return load_encoder_by_id(space.encoder_id, device=self._device, models_dir=self._models_dir)
        return None

    def load(self, encoder: str | Encoder) -> Encoder:
        """An encoder by its name or folder, or one that is an object already."""
        if isinstance(encoder, str):
            from lookalike.encoders.load import load_encoder

            encoder = load_encoder(encoder, device=self._device, models_dir=self._models_dir, notice=self._notice)
        self._loaded[encoder.id] = encoder
        return encoder

    def captions(self) -> Vectors | None:
        """Questions in words to calibrate an index with; none where the encoder of imported vectors is not here."""
        from lookalike.engine.questions import caption_vectors

        with suppress(EncoderUnavailable):
            return caption_vectors(self.current())
        return None

"""What every request works with: the settings, the threads and the opened collections of a running service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

if TYPE_CHECKING:
    from lookalike.service.closing import Closing
    from lookalike.service.decoding import Decoding
    from lookalike.service.jobs import Jobs
    from lookalike.service.kept_pictures import KeptPictures
    from lookalike.service.lanes import Lanes
    from lookalike.service.settings import ServiceSettings
    from lookalike.service.shelf import Shelf
    from lookalike.service.watch import Figures


@dataclass(frozen=True, slots=True)
class Desk:
    """One for a process, kept as `app.state.desk`."""

    settings: ServiceSettings
    lanes: Lanes
    decoding: Decoding
    shelf: Shelf
    pictures: KeptPictures
    figures: Figures
    jobs: Jobs
    closing: Closing


def desk_of(request: Request) -> Desk:
    """The desk of the application that a request came to."""
    desk: Desk = request.app.state.desk
    return desk


AtDesk = Annotated[Desk, Depends(desk_of)]

"""Where pictures are encoded, on the command line: the options of `index` that name a cluster and a shards folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar

import click

from lookalike.cli.numbers import any_number, whole_number
from lookalike.cli.settings import collection_path, ray_address

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookalike.engine.shard_encoding import ShardWorkers
    from lookalike.engine.sharding import Sharding

    Decorated = TypeVar("Decorated", bound=Callable[..., Any])

ON_HERE, ON_RAY, RAY_CLIENT = "here", "ray", "ray://"
SHARDS_FOLDER = "shards"
"""In the folder of a collection, where shards lie until they are taken in."""
_OPTIONS = (
    click.option("--on", metavar="WHERE", help="Encode by shards: here, on ray, or on ray://HEAD:10001."),
    click.option("--workers", type=whole_number(1), metavar="N", help="With --on ray: how many encode at once."),
    click.option(
        "--gpus",
        type=any_number(0),
        default=0.0,
        metavar="SHARE",
        help="With --on ray: GPUs of each, such as 0.5.",
    ),
    click.option("--shards", metavar="DIR", help="Keep the shards in a folder, or in object storage (s3://...)."),
)


def sharding_options(function: Decorated) -> Decorated:
    """The options that `read_sharding` takes."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def read_sharding(
    *, on: str | None, workers: int | None, gpus: float, shards: str | None, device: str, collection: str | None
) -> Sharding | None:
    """What the options say, None when nothing is said of shards. Raises click.UsageError."""
    if on is None and shards is None:
        if workers is not None or gpus:
            raise click.UsageError("--workers and --gpus go with --on ray")
        return None
    from lookalike.engine.sharding import Sharding

    makers = _workers(on or ON_HERE, workers, gpus, device)
    if shards is not None:
        return Sharding(makers, shards if "://" in shards else os.path.abspath(os.path.expanduser(shards)))
    elsewhere = collection is not None and "://" in collection
    if elsewhere or (on or "").startswith(RAY_CLIENT) or (on == ON_RAY and ray_address()):
        raise click.UsageError(
            "name a folder that every machine sees by the same path, or object storage: --shards DIR"
        )
    return Sharding(makers, str(collection_path(collection) / SHARDS_FOLDER), keep=False)


def _workers(on: str, workers: int | None, gpus: float, device: str) -> ShardWorkers:
    if on == ON_HERE:
        if workers is not None or gpus:
            raise click.UsageError("--workers and --gpus go with --on ray")
        from lookalike.engine.shard_encoding import Here

        return Here()
    if on != ON_RAY and not on.startswith(RAY_CLIENT):
        raise click.UsageError(f"--on is {on!r}; pictures are encoded on: here, ray, ray://HEAD:10001")
    from lookalike.cluster.ray_workers import LOCAL, RayWorkers

    address = on if on.startswith(RAY_CLIENT) else ray_address() or LOCAL
    return RayWorkers(address, workers, gpus, device)

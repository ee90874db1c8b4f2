"""`lookalike token`: who may ask a service that others can reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lookalike.cli import printing
from lookalike.cli.options import command, json_option

if TYPE_CHECKING:
    from pathlib import Path

ACTIONS = ("add", "list", "remove")


@command
@click.argument("action", type=click.Choice(ACTIONS))
@click.argument("name", required=False)
@click.option("--write", "may_write", is_flag=True, help="The bearer may also start runs; without it, ask only.")
@json_option
def token(*, action: str, name: str | None, may_write: bool, as_json: bool) -> None:
    """Make, list and take away the tokens of a service.

    `lookalike token add NAME` shows a token once; it is kept nowhere in readable form. lookalike serve asks for
    one as soon as others than this computer can reach it.
    """
    from lookalike.store.tokens import Tokens

    tokens = Tokens(tokens_path())
    if action == "list":
        found = [{"name": each.name, "scope": each.scope, "created": each.created} for each in tokens.all()]
        if as_json:
            printing.out_json({"tokens": found})
        for each in [] if as_json else found:
            printing.out(f"{each['name']}  {each['scope']}  {each['created']}")
        return
    if not name:
        raise click.UsageError(f"lookalike token {action} needs a NAME")
    if action == "add":
        secret = tokens.add(name, "write" if may_write else "read")
        if as_json:
            printing.out_json({"name": name, "token": secret})
        else:
            printing.out(secret)
            printing.note("This is shown once. Programs send it as: Authorization: Bearer TOKEN")
    else:
        removed = tokens.remove(name)
        if as_json:
            printing.out_json({"removed": removed})
        else:
            printing.out(f"{name} may ask no longer." if removed else f"There is no token called {name}.")


def tokens_path() -> Path:
    """Where tokens are kept: with the user's data, not with a collection."""
    from platformdirs import user_data_path

    return user_data_path("lookalike", appauthor=False) / "service.sqlite"

"""`lookalike`: finds the command that was typed and loads nothing else, so that help appears at once."""

from __future__ import annotations

import importlib

import click

from lookalike.cli.options import CONTEXT, Session, debug_option
from lookalike.cli.outcome import run

COMMANDS: dict[str, tuple[str, str]] = {
    "index": ("lookalike.cli.index", "Take pictures into the collection, or bring it up to date."),
    "watch": ("lookalike.cli.watch", "Keep the collection up to date while files change, until Ctrl-C."),
    "search": ("lookalike.cli.search", "Find pictures with words or with a picture."),
    "serve": ("lookalike.cli.serve", "Serve the collection as a page for the browser and as an API for programs."),
    "token": ("lookalike.cli.token", "Make, list and take away the tokens of a service."),
    "duplicates": ("lookalike.cli.duplicates", "Find copies and the like, and move them aside; nothing is deleted."),
    "status": ("lookalike.cli.status", "What the collection holds and where it lies."),
    "failures": ("lookalike.cli.status", "Files that could not be taken, and why."),
    "show": ("lookalike.cli.show", "All that is known about one item."),
    "fields": ("lookalike.cli.show", "What is known about the items, to filter and sort by."),
    "encoders": ("lookalike.cli.encoders", "Encoders that can be used, and which are here."),
    "remove": ("lookalike.cli.upkeep", "Take a file or folder out of the collection; the files stay."),
    "prune": ("lookalike.cli.upkeep", "Forget pictures on disks and folders that are not there any more."),
    "compact": ("lookalike.cli.upkeep", "Give back the disk space of pictures that are gone."),
    "verify": ("lookalike.cli.upkeep", "Check that everything stored is whole and right."),
    "doctor": ("lookalike.cli.doctor", "What is installed, where things lie and what to do."),
    "demo": ("lookalike.cli.demo", "See it work on real photos, in a folder of its own."),
    "migrate": ("lookalike.cli.migrate", "Move the collection to another encoder; searches go on meanwhile."),
    "move": ("lookalike.cli.move", "Move a collection to an engine elsewhere, or back; FROM stays as it is."),
    "export": ("lookalike.cli.export", "Write all vectors as files that other programs read."),
    "import-vectors": ("lookalike.cli.import_vectors", "Take vectors in that were made elsewhere; nothing is encoded."),
    "evaluate": ("lookalike.cli.evaluate", "Measure how well encoders find judged pictures, and which finds better."),
    "judge": ("lookalike.cli.judge", "Judge which items answer which questions, by saying yes or no to proposals."),
    "heatmap": (
        "lookalike.cli.heatmap",
        "Show how well texts tell classes of pictures apart, and which classes are taken for which.",
    ),
    "classify": ("lookalike.cli.classify", "Say what the pictures in FOLDER show, by some that a person has labelled."),
    "tune": ("lookalike.cli.tune", "Find the index that suits the collection best, by measuring."),
    "tune-encoder": (
        "lookalike.cli.tune_encoder",
        "Tune an encoder to a catalogue.",
    ),
    "export-encoder": (
        "lookalike.cli.export_encoder",
        "Write a model of timm, torchvision, open_clip, sentence-transformers or ruCLIP as an encoder.",
    ),
    "bench": ("lookalike.cli.bench", "Measure every kind of index on the collection itself."),
}
"""Every command: the module whose attribute of that name it is, and its line in the help."""

SHORT_HELP = """\
lookalike finds pictures by words or by another picture, offline.

  lookalike index ~/Pictures             take a folder into the collection
  lookalike search "a dog in the snow"   find pictures with words
  lookalike search ./photo.jpg           find pictures like this one

lookalike -h lists all commands; lookalike demo shows it on real photos."""


class LazyGroup(click.Group):
    """A group that imports a command's module when that command is used, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(name, COMMANDS, n=1)
            meant = near[0] if near else f'search "{" ".join(args)}"'
            raise click.UsageError(f'there is no command "{name}"; did you mean: lookalike {meant}', ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click's signature
    if wanted:
        import lookalike

        click.echo(f"lookalike {lookalike.__version__}")
        ctx.exit()


@click.group("lookalike", cls=LazyGroup, invoke_without_command=True, context_settings=CONTEXT)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="The version."
)
@click.pass_context
def lookalike(ctx: click.Context) -> None:
    """Find pictures by words or by another picture, on your own computer, offline."""
    if ctx.invoked_subcommand is None:
        click.echo(SHORT_HELP)


lookalike.params.append(debug_option())


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    return run(lookalike, arguments, Session())

"""The documents name everything there is, and nothing that is not."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from pathlib import Path

import click
import pytest

import lookalike
from lookalike.cli.main import COMMANDS
from lookalike.core import errors

ROOT = Path(__file__).parents[2]
CLI = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
PYTHON = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
EVERYWHERE = CLI.partition("\n## lookalike index")[0]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


def section(name: str) -> str:
    """What docs/cli.md says about a command."""
    found = re.search(rf"^## lookalike {name}\b.*?(?=^## |\Z)", CLI, re.MULTILINE | re.DOTALL)
    assert found, f"docs/cli.md has no section about {name}"
    return found.group()


def command(name: str) -> click.Command:
    return getattr(importlib.import_module(COMMANDS[name][0]), name.replace("-", "_"))


# --- the command line ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_documented(name):
    text = section(name) + EVERYWHERE
    options = [flag for each in command(name).params if isinstance(each, click.Option) for flag in each.opts]
    assert [flag for flag in options if not re.search(rf"`{flag}\b|{flag}[ `]", text)] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_documented_option_exists(name):
    described = set(re.findall(r"^\| `(-[-\w]+)", section(name), re.MULTILINE))
    assert described <= {flag for each in command(name).params for flag in each.opts}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_json_and_its_keys_are_documented(name):
    assert "--json" in {flag for each in command(name).params for flag in each.opts}
    assert "`--json`: `{" in section(name)


def test_only_documented_commands_exist():
    assert re.findall(r"^## lookalike ([\w-]+)", CLI, re.MULTILINE) == list(COMMANDS)


def keys(text: str) -> set[str]:
    """Every quoted word of the JSON line of a section."""
    return set(re.findall(r'"([\w@]+)"', text.partition("`--json`: `")[2]))


def test_json_keys_of_reports_are_those_documented():
    from lookalike.engine.reports import (
        CatalogueRead,
        ColumnRead,
        ExportReport,
        ImportReport,
        IndexReport,
        MigrateReport,
        ShardReport,
        SyncReport,
        VerifyReport,
    )

    column = ColumnRead("", "", "text", "", 0, 0, "")
    sync = SyncReport(
        *(0, 0, 0, 0, 0, 0, 0, (), 0.0),
        index=IndexReport("exact", "", 0, built=False, seconds=0.0),
        catalogues=(CatalogueRead("", "CSV", "", "", 0, (column,)),),
        shards=(ShardReport("", 0, 0, "", 0.0),),
    ).as_dict()
    told = sync["catalogues"][0]
    assert {*sync, *sync["index"], *told, *told["columns"][0], *sync["shards"][0], "uri", "reason"} == keys(
        section("index")
    )
    assert set(MigrateReport("", 0, 0, (), 0.0, switched=True).as_dict()) | {"uri", "reason"} == keys(
        section("migrate")
    )
    assert set(VerifyReport((), 0, 0, 0).as_dict()) == keys(section("verify"))
    assert set(ExportReport("", "", 0, 0, "", "", (), 0, 0.0).as_dict()) == keys(section("export"))
    imported = ImportReport("", "", 0, 0, (), (), 0.0).as_dict()
    assert set(imported) | {"uri", "reason"} == keys(section("import-vectors"))


def test_json_keys_of_a_search_are_those_documented(collection):
    answer = collection.search("red", k=1).as_dict()
    there = {*answer, *answer["plan"], *answer["took_ms"], *answer["hits"][0]}
    assert there == keys(section("search"))


def test_json_keys_of_status_are_those_documented(collection):
    state = collection.status()
    assert {*state, *state["roots"][0], *state["index"], "vectors"} == keys(section("status"))


def test_json_keys_of_an_item_and_of_fields_are_those_documented(collection):
    from dataclasses import fields

    from lookalike.engine.fields import FieldFacts
    from lookalike.engine.items import item_facts
    from lookalike.store.collection_store import Store

    with Store.open(collection.path) as store, store.snapshot() as snapshot:
        assert set(item_facts(snapshot, collection.search("red", k=1)[0].id)) == keys(section("show"))
    assert {"fields", "value", *(each.name for each in fields(FieldFacts))} == keys(section("fields"))


def test_json_keys_of_an_evaluation_are_those_documented(drawn, toy):
    from lookalike.evaluation.evaluate import evaluate_all
    from lookalike.evaluation.judgements import read_captions
    from lookalike.testing import ToyEncoder

    table = drawn.parent / "captions.csv"
    one, other, *_ = drawn.iterdir()
    table.write_text(f"image,caption\n{one},red\n{other},blue\n", encoding="utf-8")
    figures = evaluate_all([toy, ToyEncoder("other")], read_captions(table), workers=1).as_dict()
    (compared,) = figures["comparisons"]
    there = {*figures, *figures["text_to_image"], *figures["counts"]["text_to_image"], "uri", "reason"}
    there |= {*compared, *compared["text_to_image"]["hit@1"], *figures["encoders"][0]}
    assert there == keys(section("evaluate"))


def test_json_keys_of_a_heat_map_and_of_classify_are_those_documented(drawn, toy, tmp_path):
    from lookalike.evaluation.heatmap import heat_map
    from lookalike.evaluation.judgements import read_labels
    from lookalike.evaluation.labelling import label_folder, label_sidecars

    lines = [f"{path},{path.name.split('-')[number % 2 + 1]}" for number, path in enumerate(sorted(drawn.iterdir()))]
    (tmp_path / "labels.csv").write_text("\n".join(["image,label", *lines]), encoding="utf-8")
    labels = read_labels(tmp_path / "labels.csv")
    there = heat_map(toy, labels, workers=1).as_dict()
    assert {*there, *there["confusions"][0], "uri", "reason", "out"} == keys(section("heatmap"))
    found = label_folder(toy, drawn, labels, lambda vectors, _: [row % 2 for row in range(len(vectors))], workers=1)
    there = found.as_dict()
    named = {*there, *there["methods"]["both"], *there["answered"][0], *there["confusions"][0]}
    of_files = {"out", "sidecars", "uri", "reason", "label", "chance", *label_sidecars([], 0, write=False).as_dict()}
    assert named | of_files == keys(section("classify"))


def test_json_keys_of_tuning_and_of_its_measurements_are_those_documented(collection):
    from dataclasses import fields

    from lookalike.engine.tuning import tune
    from lookalike.engine.tuning_report import Aim
    from lookalike.index.kinds import IndexSpec

    with collection.trials() as trials:
        report = tune(trials, Aim(kinds=("exact",))).as_dict()
    layout = {each.name for each in fields(IndexSpec)}
    there = {*report, *report["questions"], *report["chosen"], *report["chosen"]["best"], *layout}
    assert there == keys(section("tune"))


def test_json_keys_of_the_bench_are_those_documented(collection):
    from dataclasses import fields

    from lookalike.evaluation.speed import bench
    from lookalike.index.kinds import IndexSpec

    with collection.trials() as trials:
        report = bench(trials, kinds=["exact"]).as_dict()
    layout = {each.name for each in fields(IndexSpec)}
    there = {*report, *report["questions"], *report["candidates"][0], *layout}
    assert there == keys(section("bench"))


@pytest.mark.parametrize(("name", "arguments"), [("doctor", []), ("encoders", [])])
def test_json_keys_of_reports_about_the_installation_are_documented(name, arguments, capfd):
    from lookalike.cli.main import main

    main([name, "--json", *arguments])
    assert set(json.loads(capfd.readouterr().out)) <= keys(section(name))


# --- Python ----------------------------------------------------------------------------------------


def test_the_public_names_are_those_documented():
    documented = set(re.findall(r"^\| `(\w+)", PYTHON, re.MULTILINE)) | {"__version__"}
    assert documented == set(lookalike.__all__)


def test_every_public_name_is_there():
    for name in lookalike.__all__:
        assert getattr(lookalike, name) is not None
    assert set(dir(lookalike)) == set(lookalike.__all__)


def test_every_error_is_drawn_in_the_tree_and_derives_as_drawn():
    drawn = errors.__doc__
    defined = {name: each for name, each in vars(errors).items() if inspect.isclass(each)}
    assert set(re.findall(r"[A-Z]\w+(?:Error|Extra|Busy|Found|Mismatch|Space)", drawn)) <= {*defined, "ValueError"}
    assert all(name in drawn and issubclass(each, errors.LookalikeError) for name, each in defined.items())


# --- all of them -----------------------------------------------------------------------------------


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_the_changelog_has_this_version():
    assert f"\n## {lookalike.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_dependency_has_its_row():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"]]
    wanted += [each for extra in project["project"]["optional-dependencies"].values() for each in extra]
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    names = [re.match(r"[\w-]+", each).group() for each in wanted]
    assert [name for name in names if not re.search(rf"\| {name} \|", text)] == []
    development = [re.match(r"[\w-]+", each).group() for each in project["dependency-groups"]["dev"]]
    assert [name for name in development if name not in text] == []


def test_what_development_needs_is_locked():
    lock = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8").lower().replace("_", "-")
    wanted = (ROOT / "requirements-dev.in").read_text(encoding="utf-8").lower().replace("_", "-")
    names = [re.match(r"[\w-]+", line).group() for line in wanted.splitlines() if line and line[0] not in "#-"]
    assert [name for name in names if f"\n{name}==" not in lock] == []

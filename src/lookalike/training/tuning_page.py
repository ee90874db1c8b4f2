"""The report of a tuning: before against after, what was learned from, how it went."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from lookalike.evaluation.report import Estimate, Intervals, Report, Section, Table, Text

if TYPE_CHECKING:
    from lookalike.training.tune import Outcome
    from lookalike.training.tuned import Comparison

_SKIPPED_SHOWN = 50


def page_of(outcome: Outcome) -> Report:
    """The whole report."""
    tuned = outcome.tuned
    verdict = f"{tuned.verdict[:1].upper()}{tuned.verdict[1:]}. {outcome.not_written()}".rstrip()
    first = Section(
        "Before and after",
        (
            Text(verdict, strong=True),
            *(part for each in tuned.compared for part in _compared(each)),
        ),
    )
    return Report(
        f"{tuned.recipe}: {outcome.material.base_id} tuned",
        (first, *tuned.sections, _material(outcome)),
        _about(outcome),
    )


def versions() -> dict[str, str]:
    """Of what the figures depend on."""
    found = {"lookalike": version("lookalike"), "python": platform.python_version(), "numpy": version("numpy")}
    try:
        return {**found, "torch": version("torch")}
    except PackageNotFoundError:
        return found


def _compared(comparison: Comparison) -> tuple[Table, Intervals]:
    before, after = comparison.before.means() or {}, comparison.after.means() or {}
    differences = comparison.differences()
    ceilings = comparison.before.ceilings
    rows = tuple(
        (
            name,
            f"{before[name]:.3f}",
            f"{after[name]:.3f}",
            f"{each.mean:+.3f}",
            f"{each.low:+.3f} to {each.high:+.3f}",
            f"{ceilings[name]:.3f}" if name in ceilings else "",
            f"{each.better:,} / {each.equal:,} / {each.worse:,}",
        )
        for name, each in differences.items()
    )
    table = Table(
        ("", "before", "after", "difference", "95 %", "at best", "better / equal / worse"),
        rows,
        title=f"{comparison.what}, {comparison.before.queries:,} questions",
        note=f"Held out: nothing was learned from these pictures, nor from copies of them. {comparison.note}".rstrip(),
    )
    estimates = tuple(Estimate(name, each.mean, each.low, each.high) for name, each in differences.items())
    return table, Intervals("Difference, after minus before", estimates, "difference", mark=0.0)


def _material(outcome: Outcome) -> Section:
    about = outcome.material.about()
    counts = Table(("", ""), tuple((name, f"{value:,}") for name, value in about.items()), title="Material")
    skipped = outcome.material.skipped
    if not skipped:
        return Section("What it learned from", (counts,))
    listed = tuple((each.uri, each.reason) for each in skipped[:_SKIPPED_SHOWN])
    note = f"and {len(skipped) - len(listed):,} more, in figures.json" if len(skipped) > len(listed) else ""
    left_out = Table(("picture", "why"), listed, title=f"{len(skipped):,} left out", names=2, folded=True, note=note)
    return Section("What it learned from", (counts, left_out))


def _about(outcome: Outcome) -> dict[str, str]:
    settings = outcome.tuned.about.get("settings", {})
    return {
        "base": outcome.material.base_id,
        "catalogue": str(outcome.task.catalogue),
        "settings": ", ".join(f"{name}={value}" for name, value in settings.items()),
        "seed": str(outcome.task.seed),
        "time": f"{outcome.seconds:.0f} s",
        **versions(),
    }

"""The loop of every phase of training: clock, learning rate, steps, moving average, checkpoints, log.

What is learned from what is the phase's (`image_phase`, `text_phase`). The schedule follows the clock. A checkpoint is
written every few minutes and when the run is asked to stop, atomically; a run that is started again goes on from it.
`log.jsonl` beside it holds the curve. What is shipped is the moving average of the weights.
"""

from __future__ import annotations

import copy
import json
import os
import time
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from lookalike.training.ahead import Ahead

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lookalike.training.recipes import Schedule

CHECKPOINT, LOG = "checkpoint.pt", "log.jsonl"
_SAVE_EVERY_S = 240.0
_LOG_EVERY_S = 60.0


class Phase(Protocol):
    """What a phase brings.

    `learner`: all that learns. `tower`: the part of it, by its name in what is shipped, whose average is kept.
    """

    schedule: Schedule
    learner: nn.Module
    tower: str

    def begin(self, seed: int) -> None:
        """Let all draws depend on `seed` from here on."""

    def draw(self, progress: float) -> Any:
        """The next batch. Called in another thread than `parts`."""

    def parts(self, batch: Any) -> Mapping[str, tuple[float, Tensor]]:
        """The parts of a batch's loss: how much each counts, and what it is."""


class Run:
    """A phase in `folder`, at its checkpoint where there is one; `train` does it."""

    def __init__(self, phase: Phase, folder: Path) -> None:
        self.phase = phase
        self.folder = folder
        self.average = copy.deepcopy(nn.ModuleDict({phase.tower: getattr(phase.learner, phase.tower)}))
        self.optimiser = _optimiser(phase.learner, phase.schedule)
        self.step = self.seen = 0
        self.spent_s = 0.0
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / CHECKPOINT).exists():
            self.resume()
        phase.begin(phase.schedule.seed + self.step)

    @property
    def progress(self) -> float:
        """Of the schedule's time, 0-1."""
        return self.spent_s / (60 * self.phase.schedule.minutes)

    def train(
        self, told: Callable[[dict[str, Any]], None] = lambda _: None, stopped: Callable[[], bool] = lambda: False
    ) -> None:
        """Train until the time is spent or `stopped`. `told` gets each line of the log."""
        last = saved = logged = time.monotonic()
        parts: list[dict[str, float]] = []
        seen_before = self.seen
        with Ahead(lambda: self.phase.draw(self.progress)) as batches:
            while self.progress < 1 and not stopped():
                parts.append(self.learn(batches.next()))
                now = time.monotonic()
                self.spent_s += now - last
                last = now
                if now - logged > _LOG_EVERY_S:
                    told(self._note((self.seen - seen_before) / (now - logged), parts))
                    parts, logged, seen_before = [], now, self.seen
                if now - saved > _SAVE_EVERY_S:
                    self.save()
                    saved = now
        self.save()

    def one_step(self) -> dict[str, float]:
        """Draw a batch and learn from it; the parts of its loss."""
        return self.learn(self.phase.draw(self.progress))

    def learn(self, batch: Any) -> dict[str, float]:
        """Learn from a batch; the parts of its loss."""
        schedule = self.phase.schedule
        for group in self.optimiser.param_groups:
            group["lr"] = schedule.rate(self.step, self.progress)
        parts = self.phase.parts(batch)
        loss = torch.stack([weight * part for weight, part in parts.values()]).sum()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.phase.learner.parameters(), schedule.clip_norm)
        self.optimiser.step()
        self.step += 1
        self.seen += schedule.batch
        if self.step % schedule.ema_every == 0:
            self._follow()
        return {name: float(part.detach()) for name, (_, part) in parts.items()}

    def save(self) -> None:
        """Write the checkpoint: to a second file first, then in one move."""
        state = {
            "learner": self.phase.learner.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "seen": self.seen,
            "spent_s": self.spent_s,
        }
        partial = self.folder / f"{CHECKPOINT}.partial"
        torch.save(state, partial)
        os.replace(partial, self.folder / CHECKPOINT)

    def resume(self) -> None:
        """Go on from the checkpoint in the folder. Draws go on differently than without the stop."""
        state = read_checkpoint(self.folder)
        self.phase.learner.load_state_dict(state["learner"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.seen, self.spent_s = state["step"], state["seen"], state["spent_s"]

    def _follow(self) -> None:
        """Move the average towards the weights."""
        schedule, tower = self.phase.schedule, self.phase.tower
        keep = min(schedule.ema, (1 + self.step) / (10 + self.step)) ** schedule.ema_every
        learned = getattr(self.phase.learner, tower).state_dict()
        for name, mean in self.average[tower].state_dict().items():
            if mean.dtype.is_floating_point:
                mean.lerp_(learned[name], 1 - keep)
            else:
                mean.copy_(learned[name])

    def _note(self, rate: float, parts: list[dict[str, float]]) -> dict[str, Any]:
        """Append a line to the log, and give it."""
        line = {
            "minutes": round(self.spent_s / 60, 1),
            "step": self.step,
            "seen": self.seen,
            "seen_per_s": round(rate, 1),
            **{name: round(float(np.mean([each[name] for each in parts])), 3) for name in parts[0]},
        }
        with (self.folder / LOG).open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        return line


def read_checkpoint(folder: Path) -> dict[str, Any]:
    """What `Run.save` wrote, on the CPU."""
    state: dict[str, Any] = torch.load(folder / CHECKPOINT, map_location="cpu", weights_only=True)
    return state


def tower_of(states: Mapping[str, Any], tower: str) -> dict[str, Any]:
    """The state of one tower out of a state of several modules ("image.stem..." -> "stem...")."""
    return {name.removeprefix(f"{tower}."): value for name, value in states.items() if name.startswith(f"{tower}.")}


def _optimiser(learner: nn.Module, schedule: Schedule) -> torch.optim.AdamW:
    """AdamW; vectors and scalars (norms, biases, temperature) are not pulled towards zero."""
    weights = [parameter for parameter in learner.parameters() if parameter.ndim > 1]
    others = [parameter for parameter in learner.parameters() if parameter.ndim <= 1]
    groups = [{"params": weights, "weight_decay": schedule.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, schedule.learning_rate, betas=schedule.betas, fused=True)

"""The moment that a page shows: read from the address, offered as a slider and as a field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from archive.datasette_plugin.view import View
from archive.model.snapshots import Snapshot

STEPS = "SELECT id, label, created_at FROM snapshots WHERE source_id = :source ORDER BY id"
_MOST_STEPS = 2_000


@dataclass(frozen=True)
class MomentChoice:
    """What the slider needs.

    Attributes:
        snapshot: The moment that is shown.
        steps: Ids, labels and times of the snapshots, for the slider; empty where there are too many for one.
        place: Of the shown one among them, from 0.
    """

    snapshot: Snapshot
    steps: list[dict[str, Any]]
    place: int
    is_latest: bool
    previous: int | None
    following: int | None


def choose(view: View) -> MomentChoice:
    """Returns the moment that `at` means; the slider says `step`, which comes first."""
    steps = view.ask(STEPS, source=view.source_id).rows
    step = view.get("step")
    if step and view.get("go") == "step" and step.isascii() and step.isdigit() and steps:
        snapshot = view.archive.snapshot(str(steps[min(int(step), len(steps) - 1)]["id"]))
    else:
        snapshot = view.archive.snapshot(view.get("at", "latest"))
    ids = [row["id"] for row in steps]
    place = ids.index(snapshot.id)
    return MomentChoice(
        snapshot,
        steps if len(steps) <= _MOST_STEPS else [],
        place,
        place == len(ids) - 1,
        ids[place - 1] if place else None,
        ids[place + 1] if place + 1 < len(ids) else None,
    )

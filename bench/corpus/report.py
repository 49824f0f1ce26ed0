"""What became of the corpus, as a table and as JSON."""

import json
from collections.abc import Sequence

from bench.corpus.run import Held


def as_table(results: Sequence[Held]) -> str:
    """For a person."""
    width = max(len(held.recipe.name) for held in results)
    lines = []
    for held in results:
        verdict = "holds" if held.holds else "does not hold"
        outcome = held.outcome
        lines.append(
            f"{held.recipe.name:<{width}}  {verdict:<13}  {len(outcome.turns)} turns, "
            f"{len(outcome.answers)} answers, {len(outcome.interrupted)} interrupted  "
            f"({held.call.length_s:.1f} s) {held.recipe.why}"
        )
        lines += [f"{'':<{width}}    {fault}" for fault in held.faults]
    good = sum(held.holds for held in results)
    return "\n".join([*lines, "", f"{good} of {len(results)} calls hold."])


def as_json(results: Sequence[Held]) -> str:
    """One JSON object."""
    return json.dumps(
        {
            "holds": all(held.holds for held in results),
            "calls": [
                {
                    "name": held.recipe.name,
                    "holds": held.holds,
                    "faults": list(held.faults),
                    "turns": len(held.outcome.turns),
                    "answers": len(held.outcome.answers),
                    "interrupted": len(held.outcome.interrupted),
                    "overlap_s": round(held.overlap_s, 2),
                    "seconds": round(held.call.length_s, 2),
                    "median_ms": held.outcome.medians_ms(),
                    "recording": held.call.folder.name,
                }
                for held in results
            ],
        },
        indent=1,
    )

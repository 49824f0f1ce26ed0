"""The recorded human speech that the benchmarks talk with, and what is said in it."""

import csv
from dataclasses import dataclass
from pathlib import Path

from avatar.client.clips import Clip, read_clip
from speech.errors import ConfigError
from speech.types import Language

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "data" / "speech"
"""The recordings that come with the repository; its README says whose they are."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One utterance.

    Attributes:
        clip: Its sound.
        words: What is said in it, by hand.
        finished: Whether a listener would answer now; no after half a sentence, which is to be
            waited for.
    """

    clip: Clip
    words: str
    finished: bool = True


def recordings(folder: Path, language: Language) -> list[Recording]:
    """The recordings in one language that `folder`'s `transcripts.tsv` lists.

    The table has a header and, among others, the columns file, lang and transcript; where it has
    one called finished, that is "no" after half a sentence.

    Raises:
        ConfigError: There is no such table, or it lists none in this language.
        ClipError: A recording is no good.
    """
    table = folder / "transcripts.tsv"
    try:
        with table.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        found = [
            Recording(
                read_clip(folder / row["file"]), row["transcript"], row.get("finished") != "no"
            )
            for row in rows
            if row["lang"] == language
        ]
    except (OSError, KeyError) as error:
        raise ConfigError(
            f"Can't read {table} ({error}): it must list file, lang and transcript."
        ) from None
    if not found:
        raise ConfigError(f"{table} lists no recordings in {language}.")
    return found

"""The judge of the words, with its real model."""

import asyncio

import pytest

from avatar.store import ModelStore
from speech.closing import WordsJudge
from speech.types import Language

pytestmark = pytest.mark.e2e

PAIRS: list[tuple[Language, str, str]] = [
    ("en", "What time does the museum", "What time does the museum open?"),
    ("en", "I would like to book a table for.", "I would like to book a table for two people."),
    ("en", "Please enter your", "Please enter your telephone number."),
    ("es", "Me gustaría reservar una", "Me gustaría reservar una mesa para dos."),
    ("es", "El tren llegó muy", "El tren llegó muy tarde."),
]


@pytest.fixture(scope="module")
def judge():
    judge = WordsJudge(ModelStore.default().path("smollm2-135m") / "model.gguf")
    yield judge
    judge.close()


def closes(judge, text, language="en"):
    return asyncio.run(judge.closes(text, language))


@pytest.mark.parametrize(("language", "fragment", "whole"), PAIRS)
def test_a_whole_sentence_closes_ten_times_as_likely(judge, language, fragment, whole):
    assert closes(judge, whole, language) > 10 * closes(judge, fragment, language)


def test_punctuation_and_case_change_next_to_nothing(judge):
    spelt = [closes(judge, text) for text in ("I was there.", "i was there", "I was there, ")]
    assert spelt == pytest.approx([spelt[0]] * 3, rel=0.05)


def test_nothing_said_is_nothing_unfinished(judge):
    assert closes(judge, " ") == 1

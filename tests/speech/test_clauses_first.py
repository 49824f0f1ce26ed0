"""The first clause is as short as it is wanted."""

import asyncio

import pytest

from speech.text.clauses import FIRST_WORDS, clauses

REPLY = "Rome began as a little village on seven hills beside a slow brown river in the west."


def first_length(text, **limit):
    async def deltas():
        for letter in text:
            yield letter

    async def collect():
        return [clause async for clause in clauses(deltas(), "en", **limit)]

    cut = asyncio.run(collect())
    assert "".join(clause.text for clause in cut) == text
    return len(cut[0].text.split())


@pytest.mark.parametrize("words", [4, 5, 7, 9])
def test_a_first_clause_that_nothing_ends_has_about_so_many_words(words):
    assert words / 1.5 <= first_length(REPLY, first_words=words) <= 1.5 * words


def test_a_shorter_limit_makes_a_shorter_first_clause():
    assert first_length(REPLY, first_words=4) < first_length(REPLY, first_words=9)
    assert first_length(REPLY) == first_length(REPLY, first_words=FIRST_WORDS)


def test_a_sentence_that_ends_sooner_is_not_lengthened():
    assert first_length(f"Of course. {REPLY}", first_words=9) == 2

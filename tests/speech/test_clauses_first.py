"""The first clause is as short as it is wanted."""

import asyncio
import re

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


def cut(text, is_awaited, language="en", **limit):
    """The pieces of a text that comes word by word; `is_awaited` of how many have come."""
    come = []

    async def deltas():
        for word in re.findall(r"^\S*| \S+", text):
            come.append(word)
            yield word

    async def collect():
        pieces = clauses(deltas(), language, is_awaited=lambda: is_awaited(len(come)), **limit)
        return [(clause.text, len(come)) async for clause in pieces]

    return asyncio.run(collect())


def always(_):
    return True


def test_a_first_clause_that_is_waited_for_ends_before_the_next_phrase():
    (first, come), *_ = cut(REPLY, always)
    assert (first, come) == ("Rome began as a little village ", 7)
    said = "I am very glad that you asked about it today of all days."
    assert cut(said, always)[0] == ("I am very glad ", 5)
    assert cut("Me alegra mucho saber que te gusta la música de aquí.", always, "es")[0] == (
        "Me alegra mucho saber ",
        5,
    )


def test_a_first_clause_that_nobody_waits_for_is_as_long_as_ever():
    said = "I am very glad that you asked about it today of all days."
    assert cut(said, lambda _: False)[0] == ("I am very glad that you asked ", 8)


def test_who_begins_to_wait_in_its_middle_gets_what_is_there():
    said = "I am very glad that you asked about it today of all days."
    assert cut(said, lambda come: come >= 6, first_words=9)[0] == ("I am very glad ", 6)


def test_what_is_all_there_is_not_cut_for_who_waits():
    (whole,) = cut("I would love to know about it.", lambda come: come == 7)
    assert whole[0] == "I would love to know about it."


def test_what_belongs_to_the_word_before_is_not_parted_from_it():
    for reply in ("I would love to tell you", "The moon goes around the earth", "I sent it to her"):
        assert len(cut(reply + " today", always)) == 1


def test_no_piece_but_the_first_ends_before_a_phrase_for_who_waits():
    assert cut(f"Yes. {REPLY}", always)[1][0] == "Rome began as a little village "
    pieces = cut(f"I am very glad. {REPLY}", always)
    assert len(pieces[1][0].split()) > 8

# ruff: noqa: SIM905  # a word list reads best as prose
import asyncio
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech.text.clauses import clauses
from speech.types import Clause


def cut(text: str, language="en", delta=1) -> list[Clause]:
    async def deltas():
        for start in range(0, len(text), delta):
            yield text[start : start + delta]

    async def collect():
        return [clause async for clause in clauses(deltas(), language)]

    return asyncio.run(collect())


def texts(*args, **kwargs) -> list[str]:
    return [clause.text for clause in cut(*args, **kwargs)]


@settings(deadline=None, max_examples=100)
@given(
    text=st.text(
        alphabet=st.one_of(st.sampled_from("ab1.,!? \n*[]()-A€😀"), st.characters(codec="utf-8")),
        max_size=200,
    ),
    delta=st.integers(1, 9),
)
def test_the_clauses_together_are_the_reply(text, delta):
    assert "".join(texts(text, delta=delta)) == text


def test_the_first_clause_leaves_before_the_sentence_is_over():
    first = cut("The capital of France is Paris which is a really beautiful city on a river.")[0]
    assert 4 <= len(first.text.split()) <= 8


def test_the_first_clause_leaves_while_the_model_still_writes():
    async def first_after():
        written = 0

        async def deltas():
            nonlocal written
            for word in ("Sure,", " I", " can", " help.", " What", " is", " it", "?"):
                written += 1
                yield word

        async for clause in clauses(deltas(), "en"):
            return clause.text, written
        return None

    assert asyncio.run(first_after()) == ("Sure, ", 2)


def test_later_clauses_are_a_breath_long():
    reply = "Of course. " + "many people walk along green rivers near old bridges every day " * 8
    later = texts(reply)[1:-1]
    assert later
    assert all(8 <= len(text.split()) <= 27 for text in later)


@pytest.mark.parametrize(
    ("language", "whole"),
    [
        ("en", "3.5"),
        ("en", "1,200,000"),
        ("en", "$4.50"),
        ("en", "3:30 p.m."),
        ("en", "Dr. Smith"),
        ("en", "Nov. 24th, 2026"),
        ("en", "St. Louis"),
        ("en", "e.g. this"),
        ("en", "J. K. Rowling"),
        ("en", "https://a.example.com/x,y?z=1.2"),
        ("en", "joe.smith@mail.example.com"),
        ("en", "2 + 2 = 4"),
        ("en", "[the long linked words here](https://example.com/a)"),
        ("en", "New York"),
        ("en", "10 - 20"),
        ("en", "5 kilometers"),
        ("en", "Louis XIV"),
        ("es", "1.200,50 €"),
        ("es", "Sra. López"),
        ("es", "EE. UU. hoy"),
        ("es", "p. ej. esto"),
        ("es", "24 de noviembre"),
        ("es", "a las 15:45"),
    ],
)
def test_what_belongs_together_is_never_cut(language, whole):
    words = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda omicron".split()
    for before in (0, 2, 4, 5, 6, 7, 11):
        reply = " ".join([*words[:before], whole, *words[before:], *words])
        for delta in (1, 4):
            assert any(whole in text for text in texts(reply, language, delta)), reply


@pytest.mark.parametrize(
    "reply", ["😀 Hi there", "**\nHi there", "---\n\nHi there", "… 🎉 Hi there"]
)
def test_what_has_nothing_to_say_comes_with_its_neighbour(reply):
    assert [(c.text, c.spoken.strip(",. ")) for c in cut(reply)] == [(reply, "Hi there")]


def test_an_emoji_at_the_end_is_silent():
    assert cut("All done! 🎉")[-1] == Clause("🎉", "")


def test_the_spoken_form_is_normalised():
    assert cut("**It** costs $5.")[0].spoken == "It costs five dollars."


def test_every_item_of_a_list_is_its_own_clause():
    assert texts("Buy:\n1. Milk\n2. Eggs\n- Tea") == ["Buy:\n", "1. Milk\n", "2. Eggs\n", "- Tea"]


def test_nothing_comes_of_nothing():
    assert cut("") == []


@pytest.mark.parametrize("unit", ["a", "a ", "[", ".", "1,", "\n", "—", "# ", "Dr. "])
def test_a_reply_that_never_ends_is_cut_in_linear_time(unit):
    start = time.process_time()
    assert "".join(texts(unit * 1000, delta=3)) == unit * 1000
    assert time.process_time() - start < 1

import asyncio

import pytest

from speech.llm.ending import end_with_a_sentence


def ended(*deltas, max_tokens):
    async def reply():
        for delta in deltas:
            yield delta

    async def read():
        return [delta async for delta in end_with_a_sentence(reply(), max_tokens)]

    return "".join(asyncio.run(read()))


def test_a_reply_within_three_quarters_of_its_budget_is_left_alone():
    assert ended("One.", " Two.", " Three.", max_tokens=100) == "One. Two. Three."


def test_a_reply_near_its_budget_ends_with_the_sentence_under_way():
    assert ended("One", " two", " three", " four.", " Five", max_tokens=5) == "One two three four."


def test_a_decimal_point_is_no_sentence_end():
    assert ended("a", " b", " c", " 3.", "5", " d.", " e", max_tokens=5) == "a b c 3.5 d."


@pytest.mark.parametrize("end", ['."', "?", "!»", "…", ".)"])
def test_a_sentence_may_end_with_a_quote_or_a_bracket(end):
    assert ended("a", " b", " c", end, " d", max_tokens=4) == f"a b c{end}"


def test_a_long_last_sentence_is_cut_where_the_model_stops():
    assert ended("a", " b", " c", " d", " e", max_tokens=5) == "a b c d e"


def test_ending_early_closes_the_model():
    closed = []

    async def reply():
        try:
            for _ in range(100):
                yield " Yes."
        finally:
            closed.append(True)

    async def read():
        return [delta async for delta in end_with_a_sentence(reply(), 8)]

    assert len(asyncio.run(read())) == 6
    assert closed

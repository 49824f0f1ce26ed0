"""What the judge of the words is asked."""

import pytest

from speech.closing import bare


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Well, I'd like…", "well i'd like"),
        ("At 5.30, please!", "at 5.30 please"),
        ("¿Qué hora es?", "¿qué hora es"),
        ("ann@mail.com.", "ann@mail.com"),
        (" . ", ""),
    ],
)
def test_punctuation_at_the_ends_of_words_says_nothing(text, asked):
    assert bare(text) == asked


def test_of_a_long_turn_the_last_words_count():
    assert bare(" ".join(f"w{n}" for n in range(200))).split()[0] == "w140"

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech.text.normalise import normalise

_WRITING = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from("0123456789.,:;/-+*=()[]{}#@_~`|<>&%$€£°ºª²½ \n'\"!?¿¡abxkmIVXAM"),
    ),
    max_size=120,
)
_LANGUAGES = st.sampled_from(["en", "es"])


def speakable(text: str) -> bool:
    inside = r"[^\W\d_ºª]"
    words = rf"{inside}+(?:['-]{inside}+)*"
    return re.fullmatch(rf"(?:[¿¡]?{words}[,.?!;:]?(?: |$))*", text) is not None


@settings(deadline=None, max_examples=80)
@given(text=_WRITING, language=_LANGUAGES)
def test_whatever_is_written_only_words_and_punctuation_are_spoken(text, language):
    assert speakable(normalise(text, language)), normalise(text, language)


@settings(deadline=None, max_examples=25)
@given(number=st.decimals(allow_nan=False, allow_infinity=False), language=_LANGUAGES)
def test_every_number_is_spoken_in_words(number, language):
    spoken = normalise(f"{number:f}", language)
    assert spoken
    assert speakable(spoken)


@settings(deadline=None, max_examples=25)
@given(
    words=st.lists(st.from_regex(r"[a-z]{3,8}", fullmatch=True), min_size=1, max_size=8),
    language=_LANGUAGES,
)
def test_plain_words_are_left_alone(words, language):
    sentence = " ".join(words) + "."
    months_and_units = {"mil", "pie", "min"}
    if not months_and_units & set(words):
        assert normalise(sentence, language) == sentence


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(
    "unit",
    ["[a](", "*", "_", "|", "-", "1/", "1.", "1-", "$1", "<!--", "# ", " ", "https://a.com/",
     "a@b.c", "A.", "AB ", "12:", "½", "x^2", "<a", "| - ", "'-", "¿", "000"],
)  # fmt: skip
def test_ten_kilobytes_of_anything_take_little_time(unit, language):
    text = (unit * 10_000)[:10_000] + "x"
    start = time.process_time()
    assert speakable(normalise(text, language))
    assert time.process_time() - start < 1.5

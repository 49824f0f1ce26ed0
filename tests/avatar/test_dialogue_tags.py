import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar.dialogue.tags import felt, without_tags
from render.types import FEELINGS, NEUTRAL, Emotion


def stripped(*deltas: str) -> tuple[str, list[tuple[int, Emotion]]]:
    tags: list[tuple[int, Emotion]] = []

    async def written():
        for delta in deltas:
            yield delta

    async def collect():
        return [part async for part in without_tags(written(), lambda *tag: tags.append(tag))]

    return "".join(asyncio.run(collect())), tags


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("[happy] Hi there!", "Hi there!"),
        ("Oh. [SAD] That is bad.", "Oh. That is bad."),
        ('<emotion name="happy"/>Hello.', "Hello."),
        ("<Happy>Wow</happy> indeed.", "Wow indeed."),
        ("Go on.[laughs] Ha.", "Go on. Ha."),
        ("Hm [whispers softly] well.", "Hm well."),
        ("[contento] ¡Hola!", "¡Hola!"),
        ("Bye. [happy]", "Bye. "),
    ],
)
def test_tags_are_never_said_whatever_they_name(written, said):
    assert stripped(written)[0] == said


@pytest.mark.parametrize(
    "written",
    [
        "See [the page](https://a.b/c) there.",
        "A note [1] and 3 < 4 and 5 > 2.",
        "Look at <https://a.b>.",
        "It is [",
        "Less <",
        "[as I have told you several times before] yes.",
    ],
)
def test_what_is_no_tag_is_left_alone(written):
    assert stripped(written) == (written, [])


PIECES = ("[happy]", "<sad/>", "[odd one]", "Hi ", "a", " ", "[", "<", "].", "(x)", "\n", "[a](b)")


@given(
    st.lists(st.sampled_from(PIECES), max_size=8),
    st.data(),
)
def test_it_does_not_matter_where_the_deltas_are_cut(parts, data):
    text = "".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    edges = [0, *cuts, len(text)]
    deltas = [text[a:b] for a, b in pairwise(edges)]
    assert stripped(*deltas) == stripped(text)


def test_a_tag_is_placed_among_the_words_that_are_said():
    said, tags = stripped("[happy] Hi. [sad 0.4] Oh.")
    assert said == "Hi. Oh."
    assert [(place, emotion.levels) for place, emotion in tags] == [
        (0, Emotion.of(happy=0.8).levels),
        (4, Emotion.of(sad=0.4).levels),
    ]


def test_every_feeling_has_a_tag_of_its_name_and_an_unknown_one_has_none():
    for name in FEELINGS:
        assert felt(f"[{name}]")[name] == 0.8
    assert felt("[/happy]") == felt("[neutral]") == NEUTRAL
    assert felt("[coughs]") is None
    assert felt("[happy 7]")["happy"] == 1.0

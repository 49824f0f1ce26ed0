from itertools import pairwise

import pytest

from avatar.dialogue.feelings import ReplyFeelings, feeling, mirrored
from render.types import FEELINGS, NEUTRAL, Emotion

SAMPLES = {
    ("en", "Hi! I'm Elena, an AI."): "happy",
    ("en", "I'm so glad to hear that."): "happy",
    ("en", "Oh no, I'm sorry."): "concerned",
    ("en", "My dog died yesterday."): "sad",
    ("en", "Wow, no way!"): "surprised",
    ("en", "Hmm, let me think."): "thinking",
    ("en", "Haha, good joke!"): "amused",
    ("en", "Sure thing 😂"): "amused",
    ("es", "¡Hola! Soy Elena."): "happy",
    ("es", "Vaya, lo siento mucho."): "concerned",
    ("es", "Mi abuela falleció ayer."): "sad",
    ("es", "¡Qué sorpresa!"): "surprised",
    ("es", "Déjame pensar, no estoy segura."): "thinking",
    ("es", "Jajaja, qué gracioso."): "amused",
}


@pytest.mark.parametrize(("said", "name"), SAMPLES.items())
def test_words_that_carry_a_feeling_show_it_most(said, name):
    emotion = feeling(said[1], said[0])
    assert max(FEELINGS, key=lambda f: emotion[f]) == name
    assert 0.15 < emotion[name] < 0.9


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The moon goes around the earth in a month."),
        ("en", "It is three o'clock."),
        ("en", "I'm not sad."),
        ("en", "The whole thing is high up."),
        ("es", "La reunión es el martes."),
        ("es", "No estoy triste."),
        ("es", ""),
    ],
)
def test_what_carries_none_is_neutral(language, text):
    assert feeling(text, language) == NEUTRAL


@pytest.mark.parametrize(
    ("language", "text"), [("en", "I'm not happy about it."), ("es", "No estoy contenta.")]
)
def test_not_happy_is_rather_sad(language, text):
    emotion = feeling(text, language)
    assert emotion["sad"] > 0.1
    assert emotion["happy"] == 0


def test_an_exclamation_mark_makes_it_stronger():
    assert feeling("That's great!", "en")["happy"] > feeling("That's great.", "en")["happy"]


def test_a_feeling_goes_on_in_the_next_clause_and_fades():
    reply = ReplyFeelings("en")
    levels = [
        reply.of_next(text)["concerned"]
        for text in ("I'm so sorry. ", "Do you want to talk? ", "I have time. ", "It is noon.")
    ]
    assert levels[0] > 0.5
    assert all(a > b for a, b in pairwise(levels))
    assert levels[-1] < 0.2


def test_a_tag_counts_for_the_clause_that_it_stands_in_and_over_its_words():
    reply = ReplyFeelings("en")
    reply.tag(len("I'm sorry. "), Emotion.of(amused=0.8))
    assert reply.of_next("I'm sorry. ")["concerned"] > 0.5
    assert reply.of_next("So very sorry. ") == Emotion.of(amused=0.8)


def test_a_listener_answers_sadness_with_concern_and_joy_with_less_of_it():
    assert mirrored(Emotion.of(sad=0.8))["concerned"] > 0.3
    assert mirrored(Emotion.of(sad=0.8))["sad"] == 0
    assert 0 < mirrored(Emotion.of(happy=0.8))["happy"] < 0.5

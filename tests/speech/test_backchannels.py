"""What listeners say without wanting the floor."""

import pytest

from speech.backchannels import acknowledges, is_backchannel, may_become_backchannel

ENGLISH = (
    "Mm-hm. Mm-hmm. Mhm. Hmm. Mm. Uh-huh. Uh huh. Yeah. Yeah, yeah. Right. Yes. OK. Okay, right."
    " I see. Got it. Oh. Ah. Aha. Wow. Really? Ha ha ha. Haha. Hahaha. Of course."
)
SPANISH = (
    "Sí. Sí, sí. Ajá. Mm. Claro. Vale. Ya. Ya veo. Ah, ya. De acuerdo. Ja, ja, ja. Jajaja. Eh."
)
WORDS = {
    "en": "No. Stop. Wait. What? Yes but wait. Right now. Who are you? Oh no."
    " Yeah I have a question."
    " So. Sorry? I see a problem. Hello. Go on. Thank you. Hold on. Me too. Home.",
    "es": "No. Para. Espera. ¿Qué? Sí, pero. Ya basta. Claro que no. ¿Cómo?"
    " Bueno. Perdona. Vale, para."
    " Hola. Gracias. Ahora.",
}


def each(text):
    """Of 'Right. Oh. Really?': 'Right.', 'Oh.', 'Really?'"""
    import re

    return re.findall(r"[^.?]+[.?]", text)


@pytest.mark.parametrize("text", each(ENGLISH))
def test_english_listeners_leave_the_floor_with(text):
    assert is_backchannel(text, "en")
    assert may_become_backchannel(text, "en")


@pytest.mark.parametrize("text", each(SPANISH))
def test_spanish_listeners_leave_the_floor_with(text):
    assert is_backchannel(text, "es")


@pytest.mark.parametrize(("language", "text"), [(k, t) for k in WORDS for t in each(WORDS[k])])
def test_people_take_the_floor_with(language, text):
    assert not is_backchannel(text, language)


def test_words_so_far_may_become_a_backchannel():
    assert may_become_backchannel("I", "en")
    assert may_become_backchannel("Yeah, I", "en")
    assert may_become_backchannel("ok", "en")
    assert not is_backchannel("I", "en")
    assert not may_become_backchannel("I want", "en")
    assert not may_become_backchannel("Stop", "en")
    assert not may_become_backchannel("", "en")


def test_a_cough_that_is_written_down_as_you_leaves_the_floor():
    assert is_backchannel("You", "en")
    assert may_become_backchannel("You", "en")
    assert not acknowledges("You", "en"), "which ends a sentence"
    for text in ("You know what", "Thank you.", "Are you?", "Yeah, you."):
        assert not is_backchannel(text, "en")


def test_many_backchannels_in_a_row_are_a_wish_to_speak():
    assert not is_backchannel("yeah yeah okay right sure", "en")
    assert not is_backchannel("", "en")


@pytest.mark.parametrize("text", each("Okay. Mm-hm. Yeah, yeah. Uh-huh. Oh. Ha ha ha. All right."))
def test_before_an_answer_is_heard_people_acknowledge_with(text):
    assert acknowledges(text, "en")


@pytest.mark.parametrize("text", each("Um. Uh. Right. Great. Yeah, um. I see. Okay and. No. Eh."))
def test_and_go_on_with_their_sentence_with(text):
    assert not acknowledges(text, "en")


def test_spanish_acknowledgements():
    assert acknowledges("Ajá, sí.", "es")
    assert acknowledges("Claro que sí.", "es")
    assert not acknowledges("Eh.", "es")
    assert not acknowledges("Bien.", "es")

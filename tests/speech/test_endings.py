import pytest

from speech.endings import Ending, ending_of

UNFINISHED = {
    "en": [
        "I would like the",
        "I'd like tea and",
        "Well, um",
        "Can you tell me the?",
        "I am looking for.",
        "It was not cheap,",
        "So I went there…",
        "My number is",
        "My phone number is 555",
        "My number is 555-123-4567",
        "It is five five five",
        "The code is 4 4 2",
        "J O H N",
        "My e-mail address is john at gmail",
        "I\N{RIGHT SINGLE QUOTATION MARK}m",
    ],
    "es": [
        "Quiero un café y",
        "Me gustaría reservar para el",
        "Es que",
        "Mi número es",
        "Mi teléfono es seis cinco cuatro",
        "Seis cinco cuatro",
        "Mi correo es ana arroba gmail",
        "Vivo en",
    ],
}
QUESTIONS = {
    "en": ["Where are you from?", "What time is it?"],
    "es": ["¿De dónde eres?", "¿Qué hora es?"],
}
OPEN = {
    "en": [
        "",
        "  ",
        "...",
        "Yes.",
        "Turn it on.",
        "I was born in 1990.",
        "Go forward ten meters.",
        "It is 25",
        "I have one",
        "That is all",
        "My e-mail address is john at gmail dot com.",
        "It is john@gmail.com",
    ],
    "es": ["Sí.", "No lo sé.", "Nací en 1990", "Mi correo es ana arroba gmail punto com", "Uno."],
}


def cases(table):
    return [(text, language) for language, texts in table.items() for text in texts]


@pytest.mark.parametrize(("text", "language"), cases(UNFINISHED))
def test_more_must_come_after(text, language):
    assert ending_of(text, language) is Ending.UNFINISHED


@pytest.mark.parametrize(("text", "language"), cases(QUESTIONS))
def test_a_question_is_known_by_its_mark(text, language):
    assert ending_of(text, language) is Ending.QUESTION


@pytest.mark.parametrize(("text", "language"), cases(OPEN))
def test_nothing_is_known_of(text, language):
    assert ending_of(text, language) is Ending.OPEN

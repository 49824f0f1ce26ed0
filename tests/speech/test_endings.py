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
        "I\N{RIGHT SINGLE QUOTATION MARK}m",
        "My name is",
        "The problem with your offer is",
        "Let me think.",
        "One moment.",
        "Yes,",
    ],
    "es": [
        "Quiero un café y",
        "Me gustaría reservar para el",
        "Es que",
        "Vivo en",
        "Mi nombre es",
        "Un momento.",
        "Déjame pensar.",
        "No,",
    ],
}
DICTATED = {
    "en": [
        "My number is",
        "My phone number is 555",
        "My number is 555-123",
        "It is five five five",
        "Seven zero.",
        "The code is 4 4 2",
        "J O H N",
        "My e-mail address is john at gmail",
        "You can write to john@gmail",
        "My address is 12 Main Street",
    ],
    "es": [
        "Mi número es",
        "Mi teléfono es seis cinco cuatro",
        "Seis cinco cuatro",
        "Mi correo es ana arroba gmail",
        "Escríbame a ana arroba gmail",
        "Mi dirección es calle Mayor 12",
    ],
}
FINISHED = {
    "en": [
        "Where are you from?",
        "What time is it?",
        "Yes.",
        "yes it is",
        "No, thanks.",
        "Thank you.",
        "Okay.",
    ],
    "es": [
        "¿De dónde eres?",
        "¿Qué hora es?",
        "Sí.",
        "no, gracias",
        "De acuerdo.",
        "Sí, por favor.",
    ],
}
OPEN = {
    "en": [
        "",
        "  ",
        "...",
        "Turn it on.",
        "I was born in 1990.",
        "It starts at 5:30.",
        "It costs 1,000 euros.",
        "Go forward ten meters.",
        "It is 25",
        "I have one",
        "That is all he wanted",
        "I know who it is.",
        "Tell me where they are.",
        "My e-mail address is john at gmail dot com.",
        "It is john@gmail.com",
        "My number is 555-123-4567",
        "I think so.",
    ],
    "es": [
        "No lo sé.",
        "Nací en 1990",
        "Mi correo es ana arroba gmail punto com",
        "Mi número es 612 345 678",
        "Uno.",
        "Ya sé quién es.",
        "Así es.",
    ],
}


def cases(table):
    return [(text, language) for language, texts in table.items() for text in texts]


@pytest.mark.parametrize(("text", "language"), cases(UNFINISHED))
def test_more_must_come_after(text, language):
    assert ending_of(text, language) is Ending.UNFINISHED


@pytest.mark.parametrize(("text", "language"), cases(DICTATED))
def test_pieces_follow_of_what_is_dictated(text, language):
    assert ending_of(text, language) is Ending.DICTATED


@pytest.mark.parametrize(("text", "language"), cases(FINISHED))
def test_a_question_or_a_short_answer_is_whole(text, language):
    assert ending_of(text, language) is Ending.FINISHED


@pytest.mark.parametrize(("text", "language"), cases(OPEN))
def test_nothing_is_known_of(text, language):
    assert ending_of(text, language) is Ending.OPEN

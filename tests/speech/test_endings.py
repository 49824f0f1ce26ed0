import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        "One second, please.",
        "Let me check that.",
        "Let me look at my calendar.",
        "Just a minute, it's in my bag.",
        "We've",
        "Let's",
        "She'd",
        "Right, so.",
        "Well, actually",
        "By the way",
        "I was wondering.",
        "I'd like to complain about",
        "Did you see the?",
        "He considered how much of it all there might be still in his power to.",
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
        "Déjeme que lo mire.",
        "Un momento, por favor.",
        "¿Tiene algún?",
        "Mi padre ha",
        "Bueno, pues entonces",
        "Por ejemplo.",
        "Me costó ciento",
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
        "My number is 55512",
        "077-3.",
        "It's 0208",
        "Plus 44, 79.",
        "You can call me on 086 123",
        "The card number is 4532 1234 5678",
        "4532-1234-56.",
        "The booking reference is QF",
        "My e-mail is john.smith",
        "John.smith at gmail.",
        "mary underscore",
        "john dot smith at",
        "It's john.smith@",
        "SW one A.",
        "My name is Brown, B R",
        "N as in",
        "T as in Tom, H as",
        "Area code 604.",
        "That's B as in boy, R",
        "It's spelled",
        "The zip code is 902",
        "I live at 27",
    ],
    "es": [
        "Mi número es",
        "Mi teléfono es seis cinco cuatro",
        "Seis cinco cuatro",
        "Mi correo es ana arroba gmail",
        "Escríbame a ana arroba gmail",
        "Mi dirección es calle Mayor 12",
        "Mi número es el",
        "Seis doce, treinta y cuatro",
        "Más 34, 6",
        "Me puede llamar al 93",
        "Mi DNI es 1 2 3 4",
        "Ana punto Ruiz arroba",
        "Es pepe guión bajo",
        "Es pedro guión",
        "Se deletrea jota, i",
        "Vivo en la calle Mayor",
        "El código postal es 280",
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
        "I think so.",
        "Sorry, I don't know.",
        "Not yet, thanks.",
        "That's all.",
        "Is it 42?",
    ],
    "es": [
        "¿De dónde eres?",
        "¿Qué hora es?",
        "Sí.",
        "no, gracias",
        "De acuerdo.",
        "Sí, por favor.",
        "No lo sé.",
        "Así es.",
        "Ya está, gracias.",
        "Creo que no.",
        "Todavía no.",
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
        "I live at 350 Fifth Avenue.",
        "My phone is broken.",
        "The code is not working.",
        "My e-mail is not working.",
        "My address is 14 Baker Street, London.",
        "The zip code is 90210.",
        "The pin is 4711.",
        "The card number is 4532 1234 5678 9010.",
        "My postcode is SW1A 1AA.",
        "Smith, S M I T H",
        "info@bakery.london",
        "sales at my-company dot museum",
        "At 07:30.",
        "It's 0.25",
        "March 12, 1990",
        "On the 3rd",
        "At 5 PM.",
        "I'm thirty five",
        "I got an A.",
        "So do I.",
        "Do you know what the number is",
        "That's what I was looking for.",
        "I know where my keys are.",
        "I'll be there in a minute.",
        "He lives next to the bank, I believe",
        "Can you",
        "Do you",
    ],
    "es": [
        "Nací en 1990",
        "Mi correo es ana arroba gmail punto com",
        "Mi número es 612 345 678",
        "Uno.",
        "Ya sé quién es.",
        "El código no es válido.",
        "Mi número es muy largo.",
        "De 9 a 5.",
        "Ana guion bajo Ruiz arroba hotmail punto es",
        "info@tienda.barcelona",
        "Mi DNI es 12345678Z.",
        "Son las siete y media.",
        "Tengo treinta y cinco",
        "Llegó a las dos en punto.",
        "No sé lo que es.",
        "Plan B.",
        "Me gustó el guión.",
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


def test_capitals_are_letters_only_among_words_that_have_none():
    assert ending_of("I got an A.", "en") is Ending.OPEN
    assert ending_of("CAN I GET A", "en") is Ending.UNFINISHED


PIECES = """my number is 555 12 0 +44 # @ a i y o o'clock john dot at @gmail .com double treinta
seis , . ? - ... \N{GRINNING FACE} \N{ARABIC LETTER ALEF} \N{ARABIC-INDIC DIGIT THREE}
\N{SUPERSCRIPT TWO} \N{LATIN CAPITAL LETTER I WITH DOT ABOVE}"""
LINES = st.lists(st.sampled_from(PIECES.split()), max_size=40).map(" ".join)


@given(st.text() | LINES, st.sampled_from(["en", "es"]))
def test_any_text_ends_somehow(text, language):
    assert ending_of(text, language) in Ending


@pytest.mark.parametrize("piece", ["a", "1 ", "1,", "at ", "a. ", "well so ", "hold on ", "@a."])
def test_the_end_of_a_long_text_is_found_at_once(piece):
    """What is looked at is bounded: no text is slow to look at."""
    assert ending_of(f"my address is {piece * 100_000} and", "en") is Ending.UNFINISHED

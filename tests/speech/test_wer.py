import pytest

from bench.wer import wer


@pytest.mark.parametrize(
    ("reference", "hypothesis", "language"),
    [
        ("go forward ten meters", "Go forward 10 meters.", "en"),
        ("an ill disposed man", "An ill-disposed man!", "en"),
        ("my number is five five five one two", "My number is 55512.", "en"),
        ("it's fine", "It\N{RIGHT SINGLE QUOTATION MARK}s fine", "en"),
        ("Marque diez, por favor.", "marque 10 por favor", "es"),
    ],
)
def test_what_is_said_alike_is_no_error(reference, hypothesis, language):
    assert wer(reference, hypothesis, language) == 0


@pytest.mark.parametrize(
    ("hypothesis", "errors"),
    [("one two three", 1), ("one two five four", 1), ("zero one two three four", 1), ("", 4)],
    ids=["deletion", "substitution", "insertion", "all"],
)
def test_errors_are_counted_against_the_reference(hypothesis, errors):
    assert wer("one two three four", hypothesis, "en") == errors / 4


def test_an_accent_makes_another_word():
    assert wer("sí señor", "si señor", "es") == 0.5


def test_a_reference_without_words_is_refused():
    with pytest.raises(ValueError, match="reference"):
        wer("...", "hello", "en")

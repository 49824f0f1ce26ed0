# ruff: noqa: RUF001  # IPA has letters that look like others
import pytest

from speech.text.spanish_phonemes import spanish_phonemes


@pytest.mark.parametrize(
    ("word", "phonemes"),
    [
        ("hola", "ˈola"),
        ("cerveza", "seɾβˈesa"),
        ("guitarra", "ɡitˈara"),
        ("pingüino", "piŋɡwˈino"),
        ("gente", "xˈɛnte"),
        ("llave", "ʝˈaβe"),
        ("niño", "nˈiɲo"),
        ("noche", "nˈoʧe"),
        ("queso", "kˈeso"),
        ("huevo", "wˈeβo"),
        ("taxi", "tˈaksi"),
        ("excelente", "ˌekselˈɛnte"),
        ("México", "mˈexiko"),
        ("rojo", "rˈoxo"),
        ("pero", "pˈeɾo"),
        ("perro", "pˈero"),
        ("honra", "ˈonra"),
        ("ciudad", "sjuðˈad"),
        ("país", "paˈis"),
        ("seis", "sˈAs"),
        ("auto", "ˈWto"),
        ("baile", "bˈIle"),
        ("Europa", "eʊɾˈopa"),
        ("muy", "mˈuj"),
        ("fui", "fwˈi"),
        ("canción", "kansjˈon"),
        ("canciones", "kansjˈones"),
        ("teléfono", "telˈefono"),
        ("inteligencia", "ˌintelixˈɛnsja"),
        ("rápidamente", "rˈapiðamˈɛnte"),
        ("absurdo", "aβsˈuɾðo"),
        ("admirar", "ˌadmiɾˈaɾ"),
        ("whisky", "wˈiski"),
    ],
)
def test_a_word_is_read_by_the_rules_of_spelling(word, phonemes):
    assert spanish_phonemes(word) == phonemes


def test_articles_and_prepositions_carry_no_stress():
    assert spanish_phonemes("el perro de la casa") == "el pˈero ðe la kˈasa"


def test_sounds_touch_across_words_but_not_across_a_pause():
    assert spanish_phonemes("un vaso") == "ˈum bˈaso"
    assert spanish_phonemes("la boca") == "la βˈoka"
    assert spanish_phonemes("ella, boca") == "ˈeʝa, bˈoka"


def test_punctuation_stays_and_opening_marks_go():
    assert spanish_phonemes("¿Qué? ¡Sí!") == "kˈe? sˈi!"


def test_a_lone_letter_is_read_by_its_name():
    assert spanish_phonemes("k") == "kˈa"


def test_foreign_letters_do_no_harm():
    assert spanish_phonemes("Ångström 你好 œuvre").split()

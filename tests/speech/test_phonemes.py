from speech.phonemes import DIPHTHONGS, VISEME_OF, VISEMES, VOWELS, is_vowel, visemes


def test_there_are_fifteen_visemes_and_all_but_silence_have_phonemes():
    assert len(VISEMES) == 15
    assert set(VISEME_OF.values()) == set(VISEMES) - {"sil"}


def test_lips_close_for_the_bilabials():
    assert {VISEME_OF[p] for p in "pbm"} == {"PP"}


def test_an_affricate_is_one_shape():
    assert visemes("tʃ") == ("CH",)


def test_a_diphthong_is_two_shapes_and_counts_as_a_vowel():
    assert visemes("aʊ") == ("aa", "U")
    for diphthong in DIPHTHONGS:
        assert len(visemes(diphthong)) == 2
        assert is_vowel(diphthong)


def test_vowels_are_known_and_consonants_are_not_vowels():
    assert VISEME_OF.keys() >= VOWELS
    assert not any(is_vowel(p) for p in ("p", "tʃ", "ŋ", ""))


def test_an_unknown_phoneme_rests():
    assert visemes("ʘ") == ("sil",)

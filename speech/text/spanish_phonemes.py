# ruff: noqa: RUF001, RUF002, SIM905  # IPA has letters that look like others; word lists read as prose
"""Spanish spelling to phonemes, with Latin American seseo and yeísmo.

Spanish spelling determines the sound; the rules are those of the Real Academia Española's
"Ortografía" (2010) for letters, accents and syllables, and of Hualde, "The Sounds of Spanish"
(2005) for what neighbours do to b, d, g, n and r. The output follows the conventions that Kokoro
was trained on: IPA with ˈ and ˌ before the vowel, and misaki's capitals for falling diphthongs.
"""

import re
import unicodedata
from functools import lru_cache

from speech.text.spanish import SPANISH

_CONSONANTS = tuple(
    (re.compile(pattern), phonemes)
    for pattern, phonemes in (
        (r"^[gm](?=n)", ""),
        (r"ch", "ʧ"), (r"ll", "ʝ"), (r"rr", "r"), (r"qu(?=[eiéí])", "k"), (r"q", "k"),
        (r"gu(?=[eiéí])", "ɡ"), (r"g(?=[eiéíyý])", "x"), (r"g", "ɡ"), (r"c(?=[eiéíyý])", "s"),
        (r"cc(?=[eiéí])", "ks"), (r"c", "k"), (r"^h?u(?=[aeioáéíó])|(?<=^h)u(?=[aeioáéíó])", "w"),
        (r"^hi(?=[aeouáéóú])", "j"), (r"^ps", "s"), (r"^x", "s"),
        (r"(?<=^mé)x|(?<=^me)x(?=ic)|(?<=^te)x(?=a)|(?<=^oa)x", "x"),
        (r"xc(?=[eiéí])", "ks"), (r"x", "ks"), (r"sh", "s"),
        (r"h", ""),
        (r"ñ|ny(?=[aeiouáéíóú])", "ɲ"), (r"j", "x"), (r"z", "s"), (r"[sç]+", "s"), (r"v", "b"),
        (r"y(?=[aeiouáéíóúü])", "ʝ"), (r"^r|(?<=[nls])r", "r"), (r"r", "ɾ"), (r"ph", "f"),
        (r"([bdfklmnptw])\1?", ""),
    )
)  # fmt: skip
_VOWELS = "aeiouáéíóúüy"
_ACCENTED = str.maketrans("áéíóúüy", "aeiouui")
_FALLING = {
    "ai": "I", "au": "W", "ei": "A", "eu": "eʊ", "oi": "oɪ", "ou": "O",
}  # fmt: skip
_WEAK = frozenset("iuüy")
_GLIDE = {"i": "j", "y": "j", "u": "w", "ü": "w"}

_UNSTRESSED = frozenset(
    "a al ante con contra de del e el en entre hacia hasta la las le les lo los me mi mis ni "
    "nos o os por que se si sin sobre su sus te tu tus u y".split()
)
_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")


def spanish_phonemes(text: str) -> str:
    """Phonemes of a normalised text; its spaces and punctuation stay where they are."""
    text = unicodedata.normalize("NFC", text.lower()).replace("¿", "").replace("¡", "")
    phonemes = _WORD.sub(lambda m: " ".join(map(_word, re.split("['-]", m[0]))), text)
    return _in_context(phonemes)


def forget_words() -> None:
    """Drop the words that were looked up."""
    _word.cache_clear()


@lru_cache(maxsize=4096)
def _word(word: str) -> str:
    if len(word) == 1 and word not in "aeiouyáéíóú":
        word = SPANISH.letters.get(word, word)
    if len(word) > len("mente") + 2 and word.endswith("mente"):  # both parts keep their stress
        return _word(word.removesuffix("mente")) + "mˈɛnte"
    sounds = _syllable_sounds(_segments(word))
    if word.endswith("uy"):
        sounds = [*sounds[:-2], ("u", False), ("j", False)]  # muy falls, unlike fui
    nuclei = [i for i, (sound, _) in enumerate(sounds) if sound[0] in "aeiouAIOW"]
    if not nuclei:
        return "".join(sound for sound, _ in sounds)
    if word not in _UNSTRESSED:
        stressed = _stressed_nucleus(word, sounds, nuclei)
        _open_e(sounds, nuclei[stressed], accented=sounds[nuclei[stressed]][1])
        _mark(sounds, nuclei[stressed], "ˈ")
        if stressed > 1:
            _mark(sounds, nuclei[0], "ˌ")
    return "".join(sound for sound, _ in sounds)


def _segments(word: str) -> list[str]:
    """Consonants as phonemes, vowels as written."""
    segments: list[str] = []
    at = 0
    while at < len(word):
        for pattern, phonemes in _CONSONANTS:
            if m := pattern.match(word, at):
                segments += list(phonemes or m[0][: 1 if m.lastindex else 0])
                at = m.end()
                break
        else:
            if word[at] in _VOWELS:
                segments.append(word[at])
            at += 1
    return segments


def _syllable_sounds(segments: list[str]) -> list[tuple[str, bool]]:
    """Join vowels into diphthongs: (sound, whether it has a written accent)."""
    sounds: list[tuple[str, bool]] = []
    at = 0
    while at < len(segments):
        this, after = segments[at], segments[at + 1 : at + 2]
        pair = this.translate(_ACCENTED) + "".join(after).translate(_ACCENTED)
        if after and this in _WEAK and after[0] in _VOWELS and this != after[0]:
            sounds.append((_GLIDE[this], False))
        elif after and this in _VOWELS and after[0] in _WEAK and pair in _FALLING:
            sounds.append((_FALLING[pair], this in "áéíóú"))
            at += 1
        else:
            sounds.append((this.translate(_ACCENTED) if this in _VOWELS else this, this in "áéíóú"))
        at += 1
    return sounds


def _stressed_nucleus(word: str, sounds: list[tuple[str, bool]], nuclei: list[int]) -> int:
    """Index into `nuclei`: the written accent, else the last or last but one by the ending."""
    for i, nucleus in enumerate(nuclei):
        if sounds[nucleus][1]:
            return i
    penultimate = re.search(rf"[aeiouns]$|[^{_VOWELS}]y$", word) is not None
    return max(0, len(nuclei) - 2) if penultimate else len(nuclei) - 1


def _open_e(sounds: list[tuple[str, bool]], at: int, *, accented: bool) -> None:
    """Open a stressed e before n and a consonant: cincuenta, tengo."""
    after = "".join(sound for sound, _ in sounds[at + 1 : at + 3])
    if sounds[at][0] == "e" and not accented and re.match(r"n[tdɡs]", after):
        sounds[at] = ("ɛ", False)


def _mark(sounds: list[tuple[str, bool]], at: int, stress: str) -> None:
    sounds[at] = (stress + sounds[at][0], sounds[at][1])


def _in_context(phonemes: str) -> str:
    """Let sounds touch, across words too, but not across punctuation."""
    phonemes = re.sub(r"n(?= ?[pbm])", "m", phonemes)
    phonemes = re.sub(r"n(?= ?[ɡx])", "ŋ", phonemes)
    soft = {"b": "β", "d": "ð", "ɡ": "ɣ"}
    return re.sub(
        r"(?<=[aeɛiouAIOWʊɪjwlɾrsxfkptd])( ?)([bdɡ])(?=[ˈˌ]?[aeɛiouAIOWjwlɾrs])",
        lambda m: m[1] + soft[m[2]],
        phonemes,
    )

# ruff: noqa: RUF001  # marks that models write
"""What words feel like: a small lexicon, for replies whose model writes no tags.

This is no understanding. It adds up words and phrases that carry a feeling in English or Spanish,
turns those that are negated, and listens to "!", "?!", "...", laughter and emoji. What it does not
know is neutral, which a face can always be. Deterministic: the same words, the same face.

The method is that of the lexicon classifiers (VADER, Hutto & Gilbert 2014: valence words, negation
within three words, boosters, punctuation), with classes of feeling in place of valence.
"""

import math
import re
from bisect import bisect_right

from render.types import NEUTRAL, Emotion, Feeling
from speech.types import Language

# Stems end in "*". A score of 1 shows clearly, 0.5 slightly.
_LEXICON: dict[Language, dict[Feeling, dict[float, str]]] = {
    "en": {
        "happy": {
            1.0: "wonderful great_news congratulations congrats delighted thrilled fantastic "
            "awesome amazing happy hooray yay excited brilliant excellent well_done proud",
            0.6: "glad great love* lovely welcome hello hi hey thanks thank_you nice_to_meet "
            "good_morning good_evening fun enjoy* beautiful perfect good_to pleasure of_course "
            "sounds_good good_job cheers",
        },
        "sad": {
            1.0: "passed_away died death tragic tragedy heartbroken heartbreaking grief mourn* "
            "miss_him miss_her miss_them terribly_sad cry* tears",
            0.7: "sad sadly sadness unfortunately lonely alone goodbye lost regret* miss_you "
            "depress* unhappy disappointed",
        },
        "concerned": {
            1.0: "so_sorry i'm_sorry i_am_sorry sorry_to_hear oh_no that_sounds_hard hurt* pain "
            "painful worried worry* are_you_okay are_you_ok emergency danger* careful",
            0.6: "sorry hard difficult tough sick ill afraid scared problem trouble apologi* "
            "unfortunately serious stress* anxious be_safe",
        },
        "surprised": {
            1.0: "wow no_way really? oh_my incredible unbelievable i_can't_believe goodness "
            "astonish* what_a_surprise",
            0.6: "surpris* unexpected suddenly amazing oh! imagine",
        },
        "thinking": {
            0.8: "hmm hm let_me_think let_me_see i_wonder good_question not_sure",
            0.5: "maybe perhaps i_think i_guess it_depends i_don't_know well, um uh",
        },
        "amused": {
            1.0: "haha* hehe* lol funny hilarious joke* joking kidding silly laugh*",
            0.6: "giggle* punchline tease* cheeky goofy",
        },
    },
    "es": {
        "happy": {
            1.0: "maravilloso maravillosa felicidades enhorabuena feliz felices genial fantástic* "
            "estupend* me_alegro qué_alegría qué_bien excelente orgullos* encantad*",
            0.6: "gracias me_encanta bienvenid* hola buenos_días buenas_tardes buenas_noches "
            "content* alegr* precios* bonit* perfect* gusto_en claro_que_sí me_gusta diviért* "
            "disfrut* un_placer con_gusto",
        },
        "sad": {
            1.0: "murió falleci* muerte trágic* tragedia luto duelo llor* lágrimas",
            0.7: "triste tristeza tristes por_desgracia desgraciadamente sol[oa]_en adiós "
            "perdid* te_echo_de_menos te_extraño lamentablemente soledad decepcionad*",
        },
        "concerned": {
            1.0: "lo_siento cuánto_siento qué_pena vaya_lo oh_no qué_lástima duele dolor "
            "preocup* estás_bien emergencia peligro* cuidado",
            0.6: "perdón perdona perdone disculpa* difícil duro dura enferm* miedo problema "
            "lástima grave estrés ansiedad ánimo vaya",
        },
        "surprised": {
            1.0: "guau increíble no_me_digas de_verdad? en_serio? dios_mío madre_mía qué_sorpresa "
            "no_puedo_creer asombros*",
            0.6: "sorpren* inesperad* de_repente anda! caramba imagínate",
        },
        "thinking": {
            0.8: "mmm hmm déjame_pensar a_ver me_pregunto buena_pregunta no_estoy_segur*",
            0.5: "quizás quizá tal_vez creo_que supongo depende no_lo_sé no_sé bueno, pues,",
        },
        "amused": {
            1.0: "jaja* jeje* jiji* gracios* divertid* chiste* broma* bromeando qué_risa risa",
            0.6: "tont[oa] travies* cosquillas boba bobo",
        },
    },
}  # fmt: skip
_NEGATORS: dict[Language, str] = {
    "en": r"\b(?:not|no|never|\w+n't|without|nothing)\b",
    "es": r"\b(?:no|nunca|jamás|sin|ni|tampoco|nada)\b",
}
_BOOSTERS: dict[Language, str] = {
    "en": r"\b(?:very|so|really|extremely|truly|absolutely|such)\s+$",
    "es": r"\b(?:muy|tan|realmente|sumamente|verdaderamente|mucho|muchísimo)\s+$",
}
_EMOJI: dict[Feeling, str] = {
    "happy": "😀😃😄😁😊🙂😍🥰🤗🎉❤💕👍🥳😺☺😎",
    "sad": "😢😭😞😔🙁☹💔😿🥀",
    "concerned": "😟😕🥺😥😰🙏",
    "surprised": "😮😲😯😱🤯🙀",
    "thinking": "🤔🧐💭",
    "amused": "😂🤣😆😅😜😝😉😏🙃😹",
}
_OPPOSITE: dict[Feeling, Feeling] = {"happy": "sad"}  # "not happy"; others are only taken back
_TURNED, _BOOST, _SHOUT = 0.5, 1.35, 1.3
_STRONGEST, _KNEE = 0.85, 0.9
_FAINTEST = 0.12
_CARRIED = 0.55  # of a clause's feeling, that goes on in the next when that has less of its own


def _pattern(entry: str) -> str:
    words = entry.replace("_", r"[\s,]+")
    stem = words.endswith("*")
    words = words.removesuffix("*").replace("?", r"\?").replace("!", r"\!")
    if stem:
        return rf"(?<!\w){words}\w*"
    return rf"(?<!\w){words}" + (r"(?!\w)" if words[-1].isalpha() or words[-1] == "]" else "")


_Rules = list[tuple[Feeling, float, re.Pattern[str]]]
_RULES: dict[Language, _Rules] = {
    language: [
        (feeling, score, re.compile("|".join(map(_pattern, entries.split()))))
        for feeling, scores in feelings.items()
        for score, entries in scores.items()
    ]
    for language, feelings in _LEXICON.items()
}


def feeling(text: str, language: Language) -> Emotion:
    """The emotion of a clause or a sentence, in any case, as written for a reader."""
    low = text.lower().replace("’", "'")
    scores: dict[Feeling, float] = {}
    for name, score, pattern in _RULES[language]:
        for found in pattern.finditer(low):
            before = " ".join(re.split(r"[.!?;:,…]", low[: found.start()])[-1].split()[-3:]) + " "
            weight = score * (_BOOST if re.search(_BOOSTERS[language], before) else 1)
            toward: Feeling | None = name
            if name in ("happy", "sad") and re.search(_NEGATORS[language], before):
                toward, weight = _OPPOSITE.get(name), weight * _TURNED
            if toward is not None:
                scores[toward] = scores.get(toward, 0) + weight
    for name, signs in _EMOJI.items():
        if count := sum(text.count(sign) for sign in signs):
            scores[name] = scores.get(name, 0) + 0.8 * count
    if "!" in text:
        for name in ("happy", "surprised", "amused"):
            if name in scores:
                scores[name] *= _SHOUT
        if not scores:
            scores["happy"] = 0.25
    if re.search(r"\?!|!\?", text):
        scores["surprised"] = scores.get("surprised", 0) + 0.7
    return _emotion(scores)


def _emotion(scores: dict[Feeling, float]) -> Emotion:
    """Levels from scores: the more, the stronger, but ever less so."""
    total = sum(scores.values())
    if total < _FAINTEST:
        return NEUTRAL
    strength = _STRONGEST * (1 - math.exp(-total / _KNEE))
    return Emotion.of(**{name: strength * score / total for name, score in scores.items()})


def mirrored(heard: Emotion) -> Emotion:
    """What a listening face shows of what it hears: lightly, and no sadness but concern."""
    concern = min(0.5, 0.8 * (heard["sad"] + heard["concerned"]))
    smile = 0.5 * (heard["happy"] + heard["amused"])
    return Emotion.of(concerned=concern, happy=smile, surprised=0.3 * heard["surprised"])


class ReplyFeelings:
    """What the chunks of one reply feel like: by its tags, else by its words.

    Args:
        language: Of the reply.
    """

    def __init__(self, language: Language) -> None:
        self._language = language
        self._tags: list[tuple[int, Emotion]] = []
        self._position = 0
        self._last = NEUTRAL

    def tag(self, position: int, emotion: Emotion) -> None:
        """From this character of the reply on (tags not counted), it is meant so."""
        self._tags.append((position, emotion))

    def of_next(self, text: str) -> Emotion:
        """The emotion of the reply's next chunk; each is asked for once, in order."""
        middle = self._position + len(text) / 2
        self._position += len(text)
        given = bisect_right([position for position, _ in self._tags], middle)
        own = self._tags[given - 1][1] if given else feeling(text, self._language)
        carried = self._last.scaled(_CARRIED)
        self._last = own if given or sum(own.levels) >= sum(carried.levels) else carried
        return self._last

"""End of turn judged from the words, by a very small language model."""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from speech.llm.llama import Json, load_server
from speech.types import Language
from speech.worker import Worker

_LINES: Final[Mapping[Language, tuple[str, ...]]] = {
    "en": (
        "could you tell me what time the museum opens tomorrow",
        "my name is peter",
        "the train was late again and we had to wait for an hour",
        "no thanks that is all",
        "i think it was in the spring of nineteen forty five",
    ),
    "es": (
        "me puede decir a qué hora abre mañana el museo",
        "me llamo pedro",
        "el tren llegó tarde otra vez y tuvimos que esperar una hora",
        "no gracias eso es todo",
        "creo que fue en la primavera de mil novecientos cuarenta y cinco",
    ),
}
_RULE: Final[Mapping[Language, str]] = {
    "en": "The user's words are transcribed from speech, without punctuation.",
    "es": "Las palabras del usuario están transcritas de voz, sin puntuación.",
}
_ANSWER: Final[Mapping[Language, str]] = {"en": "Okay.", "es": "Vale."}
_SLOTS: Final[Mapping[Language, int]] = {"en": 0, "es": 1}

_END_TOKENS: Final = frozenset((0, 2))  # <|endoftext|> and <|im_end|> of SmolLM2
_FULL_STOPS: Final = (".", "?", "!", "\N{HORIZONTAL ELLIPSIS}")
_PUNCTUATION: Final = re.compile(r"[.,;:?!\N{HORIZONTAL ELLIPSIS}]+(?=\s|$)")
_LOOKED_AT: Final = 200  # likeliest tokens: the others have less than a thousandth together
_MOST_WORDS: Final = 60  # the last ones
_CONTEXT_TOKENS: Final = 512


class WordsJudge:
    """A `ClosingJudge`: SmolLM2-135M, shown how people talk to an assistant.

    It is given the words without punctuation, which recognisers put behind any fragment, as the
    beginning of a message, and says how likely the message, or a sentence, ends there. That is less
    than it seems for most whole sentences, since people may always go on, and next to nothing for
    what can't end: its logarithm is what tells. About 60 ms of CPU.

    Args:
        path: SmolLM2-135M-Instruct as GGUF.

    Raises:
        ModelStoreError: llama.cpp can't load it.
    """

    def __init__(self, path: Path) -> None:
        self._server = load_server(
            path, threads=1, context_tokens=_CONTEXT_TOKENS, slots=len(_SLOTS), saved=path.parent
        )
        self._worker = Worker("closing")
        for language in _SLOTS:
            self._judge(bare("hello"), language)  # what all prompts begin with stays in the cache

    async def closes(self, text: str, language: Language) -> float:
        """Probability that a message or a sentence ends behind the words.

        Args:
            text: As recognised. Nothing says nothing: 1.
            language: Of the words.

        Raises:
            LanguageModelError: llama.cpp failed.
        """
        words = bare(text)
        if not words:
            return 1.0
        return await self._worker.run(lambda: self._judge(words, language), lambda: None)

    def close(self) -> None:
        """Free the worker thread."""
        self._worker.close()

    def _judge(self, words: str, language: Language) -> float:
        likeliest = self._server.next_tokens(
            {
                "prompt": _beginning(language) + words,
                "id_slot": _SLOTS[language],
                "cache_prompt": True,
                "logprobs": _LOOKED_AT,
                "temperature": 0,
            }
        )
        return min(1.0, sum(math.exp(token["logprob"]) for token in likeliest if _ends(token)))


def bare(text: str) -> str:
    """The last words of `text` as they are spoken: without punctuation, in lower case."""
    words = _PUNCTUATION.sub("", text).lower().split()
    return " ".join(words[-_MOST_WORDS:])


def _ends(token: Json) -> bool:
    return token["id"] in _END_TOKENS or token["token"].strip().startswith(_FULL_STOPS)


def _beginning(language: Language) -> str:
    said = "".join(
        f"<|im_start|>user\n{line}<|im_end|>\n"
        f"<|im_start|>assistant\n{_ANSWER[language]}<|im_end|>\n"
        for line in _LINES[language]
    )
    return f"<|im_start|>system\n{_RULE[language]}<|im_end|>\n{said}<|im_start|>user\n"

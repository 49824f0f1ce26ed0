"""What was said of an answer by when, for clients that tell how much of it they played."""

from bisect import bisect_right

from render.types import SPEECH_CLOCK_HZ


class Spoken:
    """Clauses, by the place in the answer's sound where each began."""

    def __init__(self) -> None:
        self._begins: list[int] = []
        self._texts: list[str] = []
        self._sent = 0

    @property
    def sent_ms(self) -> int:
        """How much sound there was so far."""
        return self._sent * 1000 // SPEECH_CLOCK_HZ

    def begin(self, text: str) -> None:
        """A clause begins with the sound that comes next."""
        self._begins.append(self._sent)
        self._texts.append(text)

    def advance(self, samples: int) -> None:
        """So much sound was sent, at 48 kHz."""
        self._sent += samples

    def until(self, end_ms: int) -> str:
        """The words that were heard, if the sound was played up to `end_ms`.

        Of the clause that was cut, as many whole words as its share of the time: within a clause,
        people speak evenly.
        """
        end = end_ms * SPEECH_CLOCK_HZ // 1000
        cut = bisect_right(self._begins, end) - 1
        if cut < 0:
            return ""
        begin = self._begins[cut]
        over = self._begins[cut + 1] if cut + 1 < len(self._begins) else self._sent
        words = self._texts[cut].split()
        share = min(1.0, (end - begin) / (over - begin)) if over > begin else 0.0
        whole = " ".join(words[: int(share * len(words))])
        return ("".join(self._texts[:cut]) + whole).rstrip()

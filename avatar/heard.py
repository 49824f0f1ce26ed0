"""What is heard on a microphone, by the one who listens to it."""

from dataclasses import dataclass

from speech.stages import LISTENING_RATE_HZ
from speech.types import Transcript


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody speaks, it seems."""

    utterance: int
    at_sample: int


@dataclass(frozen=True, slots=True)
class SpeechSustained:
    """It has lasted long enough to be worth interrupting the avatar for."""

    utterance: int


@dataclass(frozen=True, slots=True)
class PersonPaused:
    """A pause within a turn, or its end: too early to tell."""

    utterance: int


@dataclass(frozen=True, slots=True)
class Interim:
    """The words so far."""

    utterance: int
    text: str


@dataclass(frozen=True, slots=True)
class Wordless:
    """No words so far, in what sounds like speech."""

    utterance: int


@dataclass(frozen=True, slots=True)
class Guessed:
    """What the turn's words are if it ends with the present silence, or pause.

    `WentOn`, `FalseStart` or the end of the turn follows.

    Attributes:
        utterance: Counts up within the call.
        text: The words.
        is_final: Whether no others will be guessed in this pause; if not, they are those of the
            last `Interim`, which the final ones may correct.
    """

    utterance: int
    text: str
    is_final: bool = True


@dataclass(frozen=True, slots=True)
class WentOn:
    """The silence was no end: what was guessed is void."""

    utterance: int


@dataclass(frozen=True, slots=True)
class FalseStart:
    """It was no speech after all."""

    utterance: int
    end_sample: int


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """A turn ended, and recognition failed.

    Attributes:
        utterance: Counts up within the call.
        end_sample: One past the last speech sample.
        message: What failed.
        ended_at_s: Loop time at which the last speech sample had arrived.
        decided_at_s: Loop time at which the turn was found to be over.
    """

    utterance: int
    end_sample: int
    message: str
    ended_at_s: float
    decided_at_s: float


@dataclass(frozen=True, slots=True)
class Submitted:
    """The client says that a turn is over, or sends a recorded one; its words are to come.

    Attributes:
        utterance: Counts up within the call. `TurnEnded` or `NotUnderstood` follows.
        item_id: That the client gave it; empty if it gave none.
    """

    utterance: int
    item_id: str = ""


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """A turn ended with these words; with none, it was noise.

    Attributes:
        utterance: Counts up within the call.
        transcript: Final words.
        start_sample: First speech sample, at 16 kHz since the call began.
        end_sample: One past the last speech sample.
        ended_at_s: Loop time at which the last speech sample had arrived.
        decided_at_s: Loop time at which the turn was found to be over.
    """

    utterance: int
    transcript: Transcript
    start_sample: int
    end_sample: int
    ended_at_s: float
    decided_at_s: float

    @property
    def seconds(self) -> float:
        """How long it took to say."""
        return (self.end_sample - self.start_sample) / LISTENING_RATE_HZ


Heard = (
    SpeechStarted
    | SpeechSustained
    | PersonPaused
    | Interim
    | Wordless
    | Guessed
    | WentOn
    | FalseStart
    | NotUnderstood
    | Submitted
    | TurnEnded
)

"""Who says that a person's turn is over, and what follows from it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TurnTaking:
    """How turns are taken. None leaves a thing to the server's settings.

    Attributes:
        by_client: The client says when a turn is over, and nothing is listened for until then.
        answers: Whether a turn is answered unasked.
        interrupts: Whether speech stops the avatar's.
        end_silence_ms: Ends what sounds finished.
        patient_silence_ms: Ends what does not.
        threshold: Probability from which a sound is speech.
        pre_roll_ms: Kept of the sound before the first speech.
    """

    by_client: bool = False
    answers: bool = True
    interrupts: bool = True
    end_silence_ms: int | None = None
    patient_silence_ms: int | None = None
    threshold: float | None = None
    pre_roll_ms: int | None = None

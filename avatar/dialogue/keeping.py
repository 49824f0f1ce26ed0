"""What the avatar says when asked what it keeps: the truth of the server's settings."""

from dataclasses import dataclass

from speech.types import Language, Message

_ASKED: dict[Language, tuple[str, str]] = {
    "en": ("Do you keep what I say?", "Are you recording me?"),
    "es": ("¿Guardas lo que digo?", "¿Me estás grabando?"),
}

_PRIVATE = "The call is private: nothing that is said is kept."
_RECORDED = "A call is kept only if the person agreed to a recording before it."
_SHARED = "Another service helps you answer, and may keep what is said."

# By whether calls can be recorded, and whether others hear of the words.
_ANSWERED: dict[Language, dict[tuple[bool, bool], tuple[str, str]]] = {
    "en": {
        (False, False): (
            "No, I forget it when the call ends.",
            "No, nothing is recorded.",
        ),
        (True, False): (
            "Only if you agreed to a recording. If not, I forget it when the call ends.",
            "Only if you agreed to it before the call.",
        ),
        (False, True): (
            "I don't, but another service helps me answer, and may keep it.",
            "No, nothing is recorded here.",
        ),
        (True, True): (
            "Only if you agreed to a recording. But another service helps me, and may keep it.",
            "Only if you agreed to it before the call.",
        ),
    },
    "es": {
        (False, False): (
            "No, lo olvido cuando acaba la llamada.",
            "No, no se graba nada.",
        ),
        (True, False): (
            "Solo si aceptaste una grabación. Si no, lo olvido cuando acaba la llamada.",
            "Solo si lo aceptaste antes de la llamada.",
        ),
        (False, True): (
            "Yo no, pero otro servicio me ayuda a responder, y puede guardarlo.",
            "No, aquí no se graba nada.",
        ),
        (True, True): (
            "Solo si aceptaste una grabación. Pero otro servicio me ayuda, y puede guardarlo.",
            "Solo si lo aceptaste antes de la llamada.",
        ),
    },
}


@dataclass(frozen=True, slots=True)
class Keeping:
    """What becomes of a person's words.

    Attributes:
        can_record: Whether calls are recorded whose person agrees.
        is_shared: Whether others get words to answer: a model or tools on some server.
    """

    can_record: bool = False
    is_shared: bool = False

    @property
    def fact(self) -> str:
        """The same for the instructions, which are in English whatever is spoken."""
        if not (self.can_record or self.is_shared):
            return _PRIVATE
        return " ".join(
            (*([_RECORDED] if self.can_record else []), *([_SHARED] if self.is_shared else []))
        )

    def told(self, language: Language) -> tuple[Message, ...]:
        """Being asked and answering, as turns of a conversation."""
        answers = _ANSWERED[language][self.can_record, self.is_shared]
        return tuple(
            message
            for asked, answered in zip(_ASKED[language], answers, strict=True)
            for message in (Message("user", asked), Message("assistant", answered))
        )

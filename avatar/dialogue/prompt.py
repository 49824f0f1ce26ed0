"""How every prompt of a call begins: who the model is to be, and how it talks.

Nothing in it changes while a call lasts, no date and no time: what a model has read it need not
read again, as long as every byte before the new words is the same. What is particular to one call
comes at the end of the system message; the persona alone decides the rest.
"""

from avatar.dialogue.persona import Persona
from speech.types import Language, Message


def beginning(
    persona: Persona, language: Language, extra_instructions: str = ""
) -> tuple[Message, ...]:
    """The system message and the persona's examples.

    The examples are turns of a conversation, not a text about one: a small model imitates what it
    seems to have said far better than it follows what it is told.

    Args:
        persona: Speaks `language`.
        language: Of the conversation.
        extra_instructions: The call's own; may be empty.
    """
    parts = (persona.instructions[language], extra_instructions.strip())
    system = Message("system", "\n\n".join(part for part in parts if part))
    return (system, *persona.examples[language])


def as_sentence(words: str) -> str:
    """What a recogniser understood so far, ended as a whole sentence.

    In mid-speech it writes a comma where it will write a full stop: a prompt with the latter is the
    one that will be answered, if no more is said, and need not be read again.
    """
    said = words.rstrip(" ,;:-\N{EN DASH}\N{EM DASH}")
    return said if len(said) in (0, len(words.rstrip())) else f"{said}."

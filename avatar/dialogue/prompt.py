"""The system message: who the model is to be.

It holds nothing that changes while a call lasts, no date and no time: a model that has read it
need not read it again, as long as every byte before the new words is the same. What is particular
to one call comes last, so that calls share the rest.
"""

from avatar.dialogue.persona import Persona
from speech.types import Language, Message


def system_message(persona: Persona, language: Language, extra_instructions: str = "") -> Message:
    """What the persona is told, then what the call adds.

    Args:
        persona: Speaks `language`.
        language: Of the conversation.
        extra_instructions: The call's own; may be empty.
    """
    parts = (persona.instructions[language], extra_instructions.strip())
    return Message("system", "\n\n".join(part for part in parts if part))

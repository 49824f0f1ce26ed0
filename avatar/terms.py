"""On what terms a call is held: what it goes on with, and what its caller can't change."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

from avatar.commands import Configure
from avatar.dialogue.history import History
from avatar.protocol.config import CallConfig
from avatar.recording.recorder import Recorder
from avatar.resume import OPEN, Continuation, ResumeToken
from speech.types import Language


def _no_token() -> ResumeToken | None:
    return None


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a call is held.

    Attributes:
        continues: What it goes on with; None for a new conversation.
        fixed: What its caller was given and can't change; None in it leaves a thing open.
        new_token: Makes the token to show to the client; None where calls can't be gone on with.
        lasts_s: The longest that it may last; 0 for no limit.
        heard_from: To be called when its client surely has the call's token.
    """

    continues: Continuation | None = None
    fixed: CallConfig = OPEN
    new_token: Callable[[], ResumeToken | None] = _no_token
    lasts_s: float = 0.0
    heard_from: Callable[[], None] = lambda: None

    def refused(self, wanted: Configure) -> tuple[str, ...]:
        """The names of what is wanted and can't be changed."""
        fixed = said(self.fixed)
        return tuple(
            name for name, value in changes(wanted).items() if fixed.get(name, value) != value
        )


NEW_CALL = Terms()
"""A conversation that begins, of which nothing is fixed."""


class Agreement:
    """What a call's client and server have agreed on, as it stands.

    Args:
        config: What the call begins with.
        terms: On which it is held.
        seed: Of the face's movement.

    Attributes:
        config: What is agreed on now.
    """

    def __init__(self, config: CallConfig, terms: Terms, seed: int) -> None:
        self.terms = terms
        self.config = config
        self.seed = seed
        self._began_s = asyncio.get_running_loop().time()

    @property
    def owes_reply(self) -> bool:
        """Whether the person said the last word of the call that this one goes on with."""
        return self.terms.continues is not None and self.terms.continues.owes_reply

    def change(self, wanted: Configure) -> tuple[Configure, tuple[str, ...]]:
        """What may be changed, which from now on is agreed; and the names of what may not."""
        refused = self.terms.refused(wanted)
        allowed = without(wanted, refused)
        self.config = self.config.model_copy(update=changes(allowed))
        return allowed, refused

    def consent(self, *, to_recording: bool) -> None:
        """The person consents to being recorded, or no more."""
        self.config = self.config.model_copy(update={"recording": to_recording})

    def left(
        self,
        history: History,
        language: Language,
        recordings: tuple[Recorder, ...] = (),
        *,
        allows_watching: bool,
        has_opened: bool = False,
        is_known: bool = True,
    ) -> Continuation:
        """What another call can go on with.

        Args:
            history: What was said.
            language: Of the conversation now.
            recordings: Of the conversation so far.
            allows_watching: Whether the person lets others watch.
            has_opened: Whether the last answer that was heard had an opener.
            is_known: Whether the client knows of this call. If not, nothing in it has happened, but
                that a consent to being recorded was withdrawn.
        """
        heard, before = history.messages, self.terms.continues
        lasted_s = asyncio.get_running_loop().time() - self._began_s
        if before is not None:
            lasted_s += before.lasted_s
            if not is_known:
                config = before.asked_again(self.config)
                return replace(before, config=config, lasted_s=lasted_s, recordings=recordings)
        return Continuation(
            config=self.config.model_copy(update={"language": language}),
            messages=history.everything,
            owes_reply=bool(heard) and heard[-1].role in ("user", "tool"),
            seed=self.seed,
            fixed=self.terms.fixed,
            lasted_s=lasted_s,
            allows_watching=allows_watching,
            recordings=recordings,
            has_opened=has_opened,
        )


def said(config: CallConfig) -> dict[str, object]:
    """What a configuration says something about, by name."""
    values = ((name, getattr(config, name)) for name in type(config).model_fields)
    return {name: value for name, value in values if value is not None}


def narrowed(asked: CallConfig, fixed: CallConfig) -> CallConfig:
    """What is asked, but for what is fixed."""
    return asked.model_copy(update=said(fixed))


def changes(wanted: Configure) -> dict[str, object]:
    """What a command changes, by name."""
    values = ((field.name, getattr(wanted, field.name)) for field in fields(wanted))
    return {name: value for name, value in values if value is not None}


def asked(config: CallConfig) -> Configure:
    """What the conversation has to be told of a configuration that a call begins with."""
    return Configure(
        instructions=config.instructions,
        tools=config.tools,
        tool_choice=config.tool_choice,
        turn_taking=config.turn_taking,
        speaks=config.speaks,
    )


def without(wanted: Configure, names: tuple[str, ...]) -> Configure:
    """The command, leaving some things as they are."""
    return replace(wanted, **dict.fromkeys(names))

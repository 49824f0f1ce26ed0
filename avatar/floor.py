"""Who has the floor: what a person's sounds do to the answer under way."""

from collections.abc import Callable

from avatar.events import ConversationEvent, ReplyHeld, ReplyResumed, ResumeReason
from avatar.overlap import Meaning, Overlaps
from avatar.replies import Replies
from avatar.turn_taking import TurnTaking
from speech.types import Language


class Floor:
    """Holds, ends and resumes answers, as the sounds that overlap with them mean.

    Args:
        replies: Whose.
        overlaps: What the sounds mean.
        emit: Told what happens.

    Attributes:
        turns: Whether speech stops the avatar's.
    """

    def __init__(
        self, replies: Replies, overlaps: Overlaps, emit: Callable[[ConversationEvent], None]
    ) -> None:
        self.turns = TurnTaking()
        self._replies = replies
        self._overlaps = overlaps
        self._emit = emit

    async def begin(self, utterance: int, language: Language) -> None:
        """Let an answer wait of which nothing has been heard, for the person makes a sound.

        They may not have finished: nobody is to hear an answer to half of what they say. Holding it
        before it began cuts no word, so no proof of speech is waited for. A click delays it by up
        to 0.4 s.
        """
        reply = self._replies.current
        self._overlaps.begin(utterance, reply)
        if reply is not None and not self._replies.playout.heard_samples():
            await self.hold(utterance, language)

    async def hold(self, utterance: int, language: Language) -> None:
        """Fall silent for a person who makes a sound, until it is known what it means."""
        if not self.turns.interrupts:
            return
        reply, playout = self._replies.current, self._replies.playout
        was_held = playout.held
        if reply is None:
            playout.clear()  # of words that cover the wait for a tool
        if not self._overlaps.hold(utterance, reply, language):
            await self._replies.interrupt()
        elif reply is not None and not was_held:
            if reply.first_sample is None:
                reply.timed = True  # its lateness says nothing about this machine
            self._emit(ReplyHeld(reply.response_id, reply.item_id))
            self._replies.bearing.look("listening")

    async def obey(self, meaning: Meaning, utterance: int) -> None:
        """Let a sound do to the answer what it means."""
        match meaning:
            case "words":
                await self.give_way()
            case "backchannel" | "noise":
                self.resume(utterance, meaning)

    async def give_way(self) -> None:
        """End the answer under way, for the person speaks."""
        if self.turns.interrupts:
            await self._replies.interrupt()

    def end(self, utterance: int) -> None:
        """An utterance is over, and dealt with: nothing is held for it any more."""
        self.resume(utterance, "noise")
        self._overlaps.end(utterance)

    def resume(self, utterance: int, reason: ResumeReason) -> None:
        """Go on with the answer, if it is held for this utterance."""
        reply, bearing = self._replies.current, self._replies.bearing
        if reply is None or self._overlaps.held_for != utterance:
            return
        self._overlaps.release()
        if reason == "backchannel":
            bearing.nod()
        self._emit(ReplyResumed(reply.response_id, reply.item_id, reason))
        bearing.look(bearing.state)

"""Who has the floor: what a person's sounds do to the answer under way."""

from collections.abc import Callable

from avatar.events import ConversationEvent, ReplyHeld, ReplyResumed, ResumeReason
from avatar.heard import TurnEnded
from avatar.overlap import HoldOverdue, Meaning, Overlaps
from avatar.replies import Replies
from avatar.reply import Reply
from avatar.turn_taking import TurnTaking
from speech.endings import Ending, ending_of
from speech.types import Language

_MORE_PROOF_MS = 160


class Floor:
    """Holds, ends and resumes answers, as the sounds that overlap with them mean.

    Args:
        replies: Whose.
        overdue: Called when an answer has been held for too long.
        emit: Told what happens.

    Attributes:
        turns: Whether speech stops the avatar's.
    """

    def __init__(
        self,
        replies: Replies,
        overdue: Callable[[HoldOverdue], None],
        emit: Callable[[ConversationEvent], None],
    ) -> None:
        self.turns = TurnTaking()
        self._replies = replies
        self._overlaps = Overlaps(replies.playout, overdue)
        self._emit = emit
        self._said_all = True
        self._noises = 0

    async def begin(self, utterance: int, language: Language) -> None:
        """Let an answer wait of which nothing has been heard, for the person makes a sound.

        They may not have finished: nobody is to hear an answer to half of what they say. Holding it
        before it began cuts no word, so no proof of speech is waited for. A click delays it by up
        to 0.4 s.
        """
        reply = self._replies.current
        in_turn = self._replies.bearing.state != "listening"
        self._overlaps.begin(utterance, reply, in_turn=in_turn, said_all=self._said_all)
        unheard = not self._replies.playout.heard_samples()
        if reply is not None and unheard and not self.more_proof_ms:
            await self.hold(utterance, language)

    @property
    def more_proof_ms(self) -> int:
        """How much longer speech must last to hold this answer, which noises have held before.

        The first of them changes nothing yet. Words always stop it.
        """
        return max(0, min(self._noises - 1, 2)) * _MORE_PROOF_MS

    async def hold(self, utterance: int, language: Language) -> None:
        """Fall silent for a person who makes a sound, until it is known what it means."""
        if not self.turns.interrupts:
            return
        reply, playout = self._replies.current, self._replies.playout
        was_held = playout.held
        if reply is None:
            playout.clear()  # of words that cover the wait for a tool
            return
        if not self._overlaps.hold(utterance, reply, language):
            await self._replies.interrupt()
        elif not was_held:
            reply.excuse("held")
            self._emit(ReplyHeld(reply.response_id, reply.item_id))
            self._replies.bearing.look("listening")

    async def join(self, reply: Reply, language: Language) -> None:
        """Let an answer that was begun while the person makes a sound wait for what that means."""
        utterance = self._overlaps.join(reply)
        if utterance is not None and reply.speaks:
            await self.hold(utterance, language)

    def pause(self, utterance: int) -> None:
        """The person is silent again; who was not spoken to meanwhile sees that they are heard."""
        if not self._overlaps.pause(utterance):
            self._replies.bearing.nod()

    async def hear(self, utterance: int, text: str, language: Language) -> None:
        """Give way to the words so far, if they want the floor; or go on if there are none."""
        meaning = self._overlaps.hear(utterance, text, self._replies.current, language)
        await self.obey(meaning, utterance)

    async def hear_all(self, utterance: int, text: str, language: Language) -> None:
        """Do to the answer under way what all words mean that were said over it, it seems."""
        if self._overlaps.is_during(utterance, self._replies.current):
            await self.obey(self._overlaps.weigh(utterance, text, 0, language), utterance)

    def may_answer(self, utterance: int, text: str, language: Language) -> bool:
        """Whether a turn of these words would be answered without being asked for."""
        return self.turns.answers and self._overlaps.weigh(utterance, text, 0, language) == "words"

    def weigh(self, over: TurnEnded, language: Language) -> Meaning:
        """What a turn means to the answer that it began in; words are what the next answers."""
        text = over.transcript.text
        meaning = self._overlaps.weigh(over.utterance, text, over.seconds, language)
        if meaning == "words":
            self._said_all = ending_of(text, language) in (Ending.OPEN, Ending.FINISHED)
        return meaning

    async def hold_no_longer(self, overdue: HoldOverdue, language: Language) -> None:
        """Decide about a sound for which the answer was held too long."""
        await self.obey(self._overlaps.judge(overdue, language), overdue.utterance)

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

    def reply_over(self) -> None:
        """The answer under way is over: nothing is held any more."""
        self._noises = 0
        self._overlaps.release()

    def resume(self, utterance: int, reason: ResumeReason) -> None:
        """Go on with the answer, if it is held for this utterance."""
        reply, bearing = self._replies.current, self._replies.bearing
        if reply is None or self._overlaps.held_for != utterance:
            return
        self._overlaps.release()
        if reason == "backchannel":
            bearing.nod()
        else:
            self._noises += 1
        self._emit(ReplyResumed(reply.response_id, reply.item_id, reason))
        bearing.look(bearing.state)

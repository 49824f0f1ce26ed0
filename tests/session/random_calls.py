"""Calls in which anything may happen in any order, heard by ears that know every word."""

from dataclasses import dataclass

from hypothesis import strategies as st

from avatar.events import UserSaid, UserTyped
from avatar.turn_taking import TurnTaking
from tests.session.numbered_voice import Ears, NumberedVoice
from tests.session.openers import opener
from tests.session.scripted_call import Configure, Respond, ScriptedCall

REPLIES = (
    "Yes.",
    "That is a good question, and I will tell you what I know about it.",
    "One. Two. Three.",
    "Once upon a time there was a boat, which sailed far over the sea, and came back.",
)

# Of the person's speech: noticed in 96 ms, faded in 20.
QUIET_AFTER_S = 0.3
SETTLED_S = 20.0  # an answer to its end, and another to what was said over it


def _seconds(least, most):
    return st.floats(least, most).map(lambda s: round(s, 2))


_said = st.tuples(st.just("says"), _seconds(0.05, 1.6), _seconds(0.3, 2.0))
_coughed = st.tuples(st.just("coughs"), _seconds(0.05, 1.6), _seconds(0.03, 0.11))
_listened = st.tuples(st.just("listens"), _seconds(0.05, 1.6), _seconds(0.15, 1.2))
_slammed = st.tuples(st.just("slams"), _seconds(0.05, 1.6), _seconds(0.12, 4.0))
_typed = st.tuples(st.just("types"), _seconds(0.05, 1.6), st.just(0.0))
_configured = st.tuples(st.just("configures"), _seconds(0.05, 1.6), st.just(0.0))
_asked = st.tuples(st.just("asks"), _seconds(0.05, 1.6), st.just(0.0))
happenings = st.lists(
    st.one_of(
        *(_said, _said, _said, _listened, _listened, _coughed, _slammed),
        *(_typed, _configured, _asked),
    ),
    min_size=1,
    max_size=6,
)
sometimes = st.integers(0, 3).map(lambda n: n == 0)


@dataclass
class RandomCall:
    """A call, what was heard of it, and what was to happen in it.

    Attributes:
        call: To be run.
        ears: Hear the avatar.
        speech: When the person says words that may interrupt.
        end_s: When they are done.
    """

    call: ScriptedCall
    ears: Ears
    speech: list
    end_s: float

    def check(self, heard_before=()):
        """Judge what must be so however a call went, and whenever it ended."""
        call = self.call
        assert call.left_over == []
        assert call.model.open_replies == 0
        for start_s, stop_s in self.speech:
            over = call.sounds_between(start_s + QUIET_AFTER_S, stop_s)
            assert not over, f"it talked over the person from {start_s}: {over[:3]}"
        assert words_of_the_avatar(call) == [*heard_before, *self.ears.whole_words]

    def check_rest(self):
        """The same, and that it came to rest."""
        self.check()
        assert self.call.conversation.state == "listening", "it is not stuck"
        assert not self.call.conversation.playout.speaking, "nothing is held back"


def words_of_the_avatar(call):
    """What the history says that the person heard."""
    said = (m.content for m in call.history.messages if m.role == "assistant")
    return " ".join(said).replace("…", "").split()


def words_of_the_person(call):
    """What they said and typed."""
    said = (event.text for _, event in call.of(UserSaid) if not event.is_backchannel)
    typed = (event.text for _, event in call.of(UserTyped))
    return " ".join([*said, *typed]).split()


def words_in_the_history(call):
    """The same, as it is remembered."""
    return " ".join(m.content for m in call.history.messages if m.role == "user").split()


@st.composite
def calls(draw):
    """Calls in which the person and their client do anything."""
    call = ScriptedCall([draw(st.sampled_from(REPLIES)) for _ in range(14)])
    ears = listen(call)
    call.model.word_s = draw(st.sampled_from([0.01, 0.05, 0.25]))
    call.model.first_word_s = draw(st.sampled_from([0.0, 0.0, 1.5]))
    call.openers = {"en": (opener("Let me see."),)} if draw(st.booleans()) else {}
    call.recognizer.takes_s = draw(st.sampled_from([0.02, 0.15, 0.5]))
    call.turn_detector.probability = draw(st.sampled_from([0.0, 0.5, 1.0]))
    call.recognizer.fails = draw(st.lists(st.booleans(), max_size=4)) if draw(sometimes) else []
    may_interrupt = not draw(sometimes)
    call.presses(Configure(turn_taking=TurnTaking(interrupts=may_interrupt)), 0.0)
    at_s, speech = 0.4, []
    for n, (kind, gap_s, length_s) in enumerate(draw(happenings)):
        at_s = round(at_s + gap_s, 2)
        match kind:
            case "says":
                call.says(f"words {n}", at_s, at_s + length_s)
                speech += [(at_s, at_s + length_s)] if may_interrupt else []
                if draw(sometimes):  # the client asks for something in the middle of it
                    call.presses(Respond(), round(at_s + length_s * draw(st.floats(0, 1)), 2))
            case "listens":
                call.says("mm-hm", at_s, at_s + length_s)
            case "coughs" | "slams":
                call.coughs(at_s, length_s)
                if draw(sometimes):
                    call.types(f"typed {n}", round(at_s + length_s * draw(st.floats(0, 1)), 2))
            case "types":
                call.types(f"typed {n}", at_s)
            case "asks":
                call.presses(Respond(), at_s)
            case "configures":
                call.presses(Configure(instructions=f"Rule {n}."), at_s)
        at_s += length_s
    return RandomCall(call, ears, speech, at_s)


def listen(call):
    """Give a call a voice that can be told apart; the ears that do."""
    call.voice = NumberedVoice()
    ears = Ears(call.voice)
    call.ears.append(ears.hear)
    return ears

"""How the avatar bears itself while it listens, thinks and speaks: what its face is to show."""

from collections import deque
from collections.abc import Callable

from avatar.dialogue.feelings import feeling, mirrored
from avatar.events import StateChanged
from avatar.playout import Playout
from render.types import NEUTRAL, SPEECH_CLOCK_HZ, Emotion, FaceCues, FaceState
from speech.types import Language

_REMEMBERED_CUES = 8  # more state changes than fit into the longest transition of the face
_MOODS_APART = SPEECH_CLOCK_HZ  # and so many moods, this far apart, outlast the showing of each


class Bearing:
    """What the face of one conversation is told.

    Args:
        playout: Where the avatar's speech leaves.
        emit: Told when the state changes.

    Attributes:
        state: Whether the avatar listens, thinks or speaks; an answer that is held goes on.
    """

    def __init__(self, playout: Playout, emit: Callable[[StateChanged], None]) -> None:
        self.state: FaceState = "listening"
        self._playout = playout
        self._emit = emit
        self._states: deque[tuple[int, FaceState]] = deque([(0, "listening")], _REMEMBERED_CUES)
        self._nods: deque[int] = deque(maxlen=_REMEMBERED_CUES)
        self._moods: deque[tuple[int, Emotion]] = deque(maxlen=_REMEMBERED_CUES)

    def cues(self) -> FaceCues:
        """What the face needs to know, now."""
        return FaceCues(
            self._playout.speech, tuple(self._states), tuple(self._nods), tuple(self._moods)
        )

    def change(self, state: FaceState) -> None:
        """From now on the avatar is in this state."""
        self.look(state)
        if state != self.state:
            self.state = state
            self._emit(StateChanged(state))

    def look(self, state: FaceState) -> None:
        """Show a state in the face, whatever the state is."""
        if state != self._states[-1][1]:
            self._states.append((self._playout.position, state))

    def nod(self) -> None:
        """Show the person that they are heard."""
        self._nods.append(self._playout.position)

    def mirror(self, text: str, language: Language) -> None:
        """Let the listening face share what the person's words feel like."""
        mood, now = mirrored(feeling(text, language)), self._playout.position
        last, shown = self._moods[-1] if self._moods else (now - _MOODS_APART, NEUTRAL)
        if mood not in (NEUTRAL, shown) and now - last >= _MOODS_APART:
            self._moods.append((now, mood))

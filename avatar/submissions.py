"""Turns that a client ends or sends, until their words are there; and the answer they wait for."""

from avatar.commands import Respond


class Submissions:
    """A client's turns whose words are to come.

    Attributes:
        postponed: The answer that the client wants once they are all there.
    """

    def __init__(self) -> None:
        self.postponed: Respond | None = None
        self._items: dict[int, str] = {}

    def __contains__(self, utterance: int) -> bool:
        return utterance in self._items

    def begin(self, utterance: int, item_id: str) -> None:
        """A turn was submitted, by the name that the client gave it, if any."""
        self._items[utterance] = item_id

    def name(self, utterance: int) -> str:
        """The client's name of a turn; empty if it has none."""
        return self._items.get(utterance, "")

    def end(self, utterance: int) -> None:
        """Its words are there, or never will be."""
        del self._items[utterance]

    def postpone(self, wanted: Respond) -> bool:
        """Let an answer wait for the words; whether it has to."""
        if self._items:
            self.postponed = wanted
        return bool(self._items)

    def due(self) -> Respond | None:
        """The answer that has waited, if nothing is left that it waits for."""
        if self._items:
            return None
        due, self.postponed = self.postponed, None
        return due

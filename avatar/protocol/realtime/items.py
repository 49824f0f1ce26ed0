"""The conversation's items, as the client knows them."""

from avatar.protocol import events as wire

MOST = 1000
"""Items that are remembered; of a call that lasts for days, the oldest are forgotten."""

MOST_BYTES = 4 << 20
"""Of all items together, as they go over the wire; beyond, the oldest are forgotten as well."""

ROOT = "root"
"""Stands for the beginning of the conversation, in `previous_item_id`."""


class Items:
    """In order. An item stands where it was added, and changes there.

    Nothing is said of an item that is forgotten, as nothing is when a conversation outgrows the
    context of OpenAI's models: asked for, it is simply not there.
    """

    def __init__(self) -> None:
        self._items: dict[str, wire.Item] = {}
        self._order: list[str] = []
        self._bytes: dict[str, int] = {}
        self._all_bytes = 0

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._items

    @property
    def last(self) -> str | None:
        """The newest item's id."""
        return self._order[-1] if self._order else None

    def add(self, item: wire.Item, after: str | None = None) -> str | None:
        """Put an item at the end, or after another.

        Args:
            item: With an id that no other has.
            after: The other, or `ROOT`.

        Returns:
            The id of the item before it; None if it is the first.
        """
        place = len(self._order)
        if after is not None:
            place = 0 if after == ROOT else self._order.index(after) + 1
        self._order.insert(place, item.id)
        self._put(item)
        previous = self._order[place - 1] if place else None
        self._forget_oldest(item.id)
        return previous

    def get(self, item_id: str) -> wire.Item | None:
        """The item of that name, if there is one."""
        return self._items.get(item_id)

    def change(self, item: wire.Item) -> None:
        """Replace an item, if it was not deleted meanwhile."""
        if item.id in self._items:
            self._put(item)
            self._forget_oldest(item.id)

    def remove(self, item_id: str) -> None:
        """Forget an item that there is."""
        del self._items[item_id]
        self._all_bytes -= self._bytes.pop(item_id)
        self._order.remove(item_id)

    def _put(self, item: wire.Item) -> None:
        size = len(item.model_dump_json(exclude_none=True).encode())
        self._all_bytes += size - self._bytes.get(item.id, 0)
        self._bytes[item.id] = size
        self._items[item.id] = item

    def _forget_oldest(self, but: str) -> None:
        """Make room for an item, which itself stays however large it is."""
        while len(self._order) > MOST or self._all_bytes > MOST_BYTES:
            oldest = next((item_id for item_id in self._order if item_id != but), None)
            if oldest is None:
                return
            self.remove(oldest)

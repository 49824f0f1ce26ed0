"""One call's face: how it moves, who draws it, and when that changes."""

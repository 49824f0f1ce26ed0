"""The face: types, visemes, movement, and one renderer per file or folder."""

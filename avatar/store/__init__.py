"""The model store: model files by name, fetched once, checked always, kept outside the tree."""

from avatar.store.data import data_folder
from avatar.store.manifest import Entry, ModelFile, read_manifest
from avatar.store.store import ModelStore, Progress

__all__ = ["Entry", "ModelFile", "ModelStore", "Progress", "data_folder", "read_manifest"]

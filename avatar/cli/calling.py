"""What `presencia call` does and prints; apart from its arguments because it imports aiortc."""

import argparse
import asyncio
import sys
from contextlib import nullcontext

from avatar.client.call import Call, Event
from avatar.client.clips import Clip, read_clip
from avatar.client.measure import answer_metrics, barge_in_metrics, mouth_scale
from avatar.client.mouth import face_reader
from avatar.client.observer import Observer
from avatar.client.recorder import Recorder
from avatar.client.signalling import Signalling
from avatar.client.turns import Patience, Turn, interrupt, spoken_lines, take_turn
from avatar.settings import load

_EXCUSES = {"held": "it waited for a sound that was made", "tool": "it waited for a tool"}
_NO_ANSWER = 5
_SYNC_TIMEOUT_S = 5.0


def call_and_print(args: argparse.Namespace) -> int:
    """Make the call of `presencia call`'s arguments; returns its exit code.

    Raises:
        PresenciaError: A recording is no good, or the call failed.
    """
    return asyncio.run(_call(args, [read_clip(path) for path in args.files]))


def _plan(args: argparse.Namespace, clips: list[Clip]) -> list[tuple[Clip | str, Clip | None]]:
    """The turns: what to say first, and what to say over its answer."""
    said: list[Clip | str] = [*clips, *args.text]
    if args.interrupt_after is None:
        return [(each, None) for each in said]
    over = clips[1] if len(clips) > 1 else clips[0]
    rest = said[2:] if len(clips) > 1 else said[1:]
    return [(clips[0], over), *((each, None) for each in rest)]


async def _call(args: argparse.Namespace, clips: list[Clip]) -> int:
    patience = Patience(answer_s=args.timeout)
    # A pose tells its mouth by itself; pixels of another scale would only confuse.
    observer = Observer(face_reader(load().face.name) if args.face == "video" else None)
    turns: list[tuple[Turn, bool]] = []
    unanswered = 0
    server = Signalling(args.url, may_record=args.agree_to_recording)
    with Recorder(args.out) if args.out else nullcontext() as recorder:
        async with Call.connect(server, observer, recorder) as call:
            if args.face != "video":
                await call.choose_face(args.face)
            await call.until(lambda: call.synchronised, _SYNC_TIMEOUT_S)
            if args.language:
                await call.choose_language(args.language)
            for said, over in _plan(args, clips):
                since = len(call.events)
                if over:
                    turn = await interrupt(call, said, over, args.interrupt_after, patience)
                else:
                    turn = await take_turn(call, said, patience)
                _print_lines(said, call.events[since:])
                if turn is None or not turn.answered:
                    unanswered += 1
                    print(_complaint(turn, args.timeout), file=sys.stderr)
                if turn:
                    turns.append((turn, over is not None))
    _print_timelines(turns, observer)
    if recorder:
        print("Nothing saved: no picture came." if recorder.empty else f"Saved {args.out}")
    return _NO_ANSWER if unanswered else 0


def _complaint(turn: Turn | None, timeout_s: float) -> str:
    if turn is None:
        return "There was no answer to interrupt, or it was over too soon: a smaller S may help."
    return f"No answer to {turn.said} within {timeout_s:g} s. The server's log says why."


def _print_lines(said: Clip | str, events: list[Event]) -> None:
    if isinstance(said, str):
        print(f"   you: {said}")
    for who, words in spoken_lines(events):
        print(f"{who:>6}: {words}", flush=True)
    for event in events:
        if event.type == "error":
            print(f" error: {event.body['error'].get('message')}", file=sys.stderr)


def _print_timelines(turns: list[tuple[Turn, bool]], observer: Observer) -> None:
    scale = mouth_scale(observer)
    for turn, interrupts in turns:
        metrics = answer_metrics(turn, observer, scale)
        if interrupts:
            metrics |= barge_in_metrics(turn, observer, scale)
        print(f"\n{turn.said}: after the last word")
        for name, value in metrics.items():
            label = name.removesuffix("_ms").replace("_", " ")
            print(f"  {label:<24}{value:>8.0f}{' ms' if name.endswith('_ms') else ''}")
        for event in turn.events:
            if event.type == "avatar.timeline":
                _print_timeline(event)


def _print_timeline(event: Event) -> None:
    """The server's own account: each row beside its target, what was done, what was waited for."""
    rows, targets = event.body["rows"], event.body["targets"]
    print(f"  {'by the server':<24}{'':>11}  target")
    for row, ms in rows.items():
        print(f"  {row.replace('_', ' '):<24}{ms:>8} ms{targets.get(row, 0):>5} ms")
    done = [action.replace("_", " ") for action in event.body.get("actions", ())]
    if head_start := event.body.get("head_start"):
        done.insert(0, f"begun {head_start} ms before the turn was over")
    if excused := event.body.get("excused"):
        done.append(_EXCUSES.get(excused, excused))
    if done:
        print(f"  ({'; '.join(done)})")

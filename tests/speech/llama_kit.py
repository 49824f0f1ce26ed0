"""A llama.cpp that only counts, for tests of the model that runs on it."""

import time
from pathlib import Path

import speech.llm.embedded as embedded
from speech.errors import LanguageModelError
from speech.llm.embedded import EmbeddedModel
from speech.types import Message, Tool

WEATHER = Tool("weather", "The weather.", {"type": "object", "properties": {"city": {}}})
SYSTEM = Message("system", "You are Elena.")


def said(text):
    return (SYSTEM, Message("user", text))


class FakeLlama:
    """A server that reads a prompt of `steps` steps, then writes `tokens` tokens, 2 ms each.

    `log` gets what happens in each slot: "read", "write", and "end" or "stop".
    """

    def __init__(self, steps=3, tokens=5, error=None):
        self.steps, self.tokens, self.error = steps, tokens, error
        self.log = []
        self.bodies = []
        self.slot_files = []
        self.running = 0
        self.folder = None

    def handle_chat_completions(self, prompt, callback):
        self.bodies.append(prompt)
        self.running += 1
        try:
            self._answer(prompt, callback)
        finally:
            self.running -= 1

    def _answer(self, prompt, callback):
        slot = prompt["id_slot"]
        if self.error:
            callback({"error": self.error})
            return
        writes = min(self.tokens, prompt["max_tokens"] or 1)
        for event in ["read"] * self.steps + ["write"] * writes:
            time.sleep(0.002)
            self.log.append((slot, event))
            text = " word" if event == "write" else None
            if callback({"choices": [{"delta": {"content": text}}]}):
                self.log.append((slot, "stop"))
                return
        self.log.append((slot, "end"))

    def save_slot(self, slot, name):
        self.slot_files.append(("save", slot))
        (self.folder / name).write_bytes(b"cache")

    def restore_slot(self, slot, name):
        self.slot_files.append(("restore", slot))
        if (self.folder / name).read_bytes() != b"cache":
            raise LanguageModelError("llama.cpp can't restore a slot: 400")

    def events(self, slot):
        return [event for s, event in self.log if s == slot]


def model_on(server, monkeypatch, **options):
    def load_server(*_, saved, **__):
        server.folder = saved
        return server

    monkeypatch.setattr(embedded, "load_server", load_server)
    return EmbeddedModel(Path(__file__), **options)


async def written(conversation, text):
    return "".join([delta async for delta in conversation.reply(said(text))])


class DecidingLlama(FakeLlama):
    """Writes the next of `answers` in the slot that decides about tools."""

    def __init__(self, *answers, **options):
        super().__init__(**options)
        self.answers = list(answers)

    def _answer(self, prompt, callback):
        if prompt["id_slot"] == 1 and prompt["max_tokens"]:
            callback({"choices": [{"delta": {"content": self.answers.pop(0)}}]})
            return
        super()._answer(prompt, callback)

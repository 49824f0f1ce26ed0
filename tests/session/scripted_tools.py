"""Tools for scripted calls."""

import asyncio
from dataclasses import dataclass, field

from speech.errors import ToolError
from speech.types import Tool, ToolCall
from tests.session.openers import opener

WEATHER = Tool(
    "weather",
    "The weather in a city.",
    {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
)
LIGHTS = Tool("lights", "Switch the lights.", {"type": "object", "properties": {}})
COVERS = {"en": (opener("One moment."), opener("Still looking."))}


def wants(tool=WEATHER, arguments='{"city": "Paris"}', call_id="call_1"):
    return ToolCall(call_id, tool.name, arguments)


@dataclass
class ScriptedServerTools:
    """Answers each call with the next of `outputs`, after `takes_s`."""

    outputs: list = field(default_factory=lambda: ["sunny"])
    takes_s: float = 0.1
    tools: tuple = (WEATHER,)
    calls: list = field(default_factory=list)
    finished: int = 0
    at_s: list = field(default_factory=list)  # loop times of the calls

    async def call(self, name, arguments):
        self.calls.append((name, dict(arguments)))
        self.at_s.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.takes_s)
        self.finished += 1
        output = self.outputs.pop(0) if self.outputs else "sunny"
        if isinstance(output, ToolError):
            raise output
        return output

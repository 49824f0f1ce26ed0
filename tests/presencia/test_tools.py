import asyncio
from typing import Literal

import pytest

from presencia.client import Tool, tool
from presencia.client.tools import by_name


@tool
async def weather(city: str, days: int = 1, unit: Literal["C", "F"] = "C") -> dict:
    """The weather in a city."""
    return {"city": city, "days": days, "unit": unit}


def test_a_tool_is_declared_from_its_signature():
    assert weather.declared() == {
        "type": "function",
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "days": {"type": "integer"},
                "unit": {"enum": ["C", "F"]},
            },
            "required": ["city"],
        },
    }


def test_lists_and_optional_parameters_have_their_types():
    @tool
    def order(items: list[str], note: str | None = None) -> str:
        return f"{items} {note}"

    properties = order.parameters["properties"]
    assert properties == {
        "items": {"type": "array", "items": {"type": "string"}},
        "note": {"type": "string"},
    }


def test_what_a_tool_returns_is_text_or_json():
    def shout(word: str) -> str:
        return word.upper()

    assert asyncio.run(weather.run({"city": "Oslo"})) == '{"city": "Oslo", "days": 1, "unit": "C"}'
    assert asyncio.run(tool(shout).run({"word": "hi"})) == "HI"


def test_what_json_does_not_have_is_refused():
    def bad(when: complex) -> str:
        return str(when)

    def bare(city) -> str:
        return city

    with pytest.raises(TypeError, match="JSON has no"):
        tool(bad)
    with pytest.raises(TypeError, match="needs an annotation"):
        tool(bare)
    with pytest.raises(ValueError, match="use letters"):
        Tool("two words", "", {}, bare)
    with pytest.raises(ValueError, match="two tools named weather"):
        by_name([weather, weather])

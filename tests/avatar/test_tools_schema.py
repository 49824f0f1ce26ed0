"""Which tools a call takes, and which arguments leave it."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from avatar.tools.schema import MOST_TOOLS, checked, parsed_arguments
from speech.errors import ToolError
from speech.types import Tool

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def deep(levels):
    schema = {"type": "object"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


@pytest.mark.parametrize(
    ("tools", "said"),
    [
        ([Tool("two words")], "is called 'two words'"),
        ([Tool("")], "1 to 64 letters"),
        ([Tool("x" * 65)], "1 to 64 letters"),
        ([Tool("same"), Tool("same")], "a name of its own"),
        ([Tool(f"t{i}") for i in range(MOST_TOOLS + 1)], "tools at most"),
        ([Tool("t", "x" * 3000)], "description"),
        ([Tool("t", "", {"type": "string"})], "must be of type 'object'"),
        ([Tool("t", "", {"type": "object", "properties": []})], "no JSON schema"),
        ([Tool("t", "", {"type": "object", "required": "city"})], "no JSON schema"),
        ([Tool("t", "", {"type": "object", "x": "y" * 20_000})], "bytes or"),
        ([Tool("t", "", deep(40))], "levels"),
        ([Tool("t", "", {"type": "object", "x": object()})], "no JSON"),
    ],
)
def test_tools_that_cannot_be_taken_are_refused_with_a_reason(tools, said):
    with pytest.raises(ToolError, match=said):
        checked(tools)


def test_good_tools_are_taken():
    tools = (Tool("weather", "The weather.", CITY), Tool("now"))
    assert checked(tools) == tools


def test_arguments_that_fit_are_read():
    assert parsed_arguments(Tool("weather", "", CITY), '{"city": "Rome"}') == {"city": "Rome"}
    assert parsed_arguments(Tool("now"), "") == {}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ('{"city": 3}', r"at \['city'\]: 3 is not of type 'string'"),
        ("{}", "'city' is a required property"),
        ("[1]", "must be a JSON object"),
        ('{"city"', "no JSON"),
        ('{"city": "' + "x" * 20_000 + '"}', "longer than"),
        ("[" * 9_000, "no JSON"),
    ],
)
def test_arguments_that_do_not_are_refused_with_a_reason(arguments, said):
    with pytest.raises(ToolError, match=said):
        parsed_arguments(Tool("weather", "", CITY), arguments)


def test_a_reference_to_elsewhere_is_not_followed():
    asked = []

    class Schemas(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Schemas) as elsewhere:
        threading.Thread(target=elsewhere.serve_forever).start()
        url = f"http://127.0.0.1:{elsewhere.server_port}/s"
        tool = Tool("t", "", {"type": "object", "properties": {"a": {"$ref": url}}})
        try:
            with pytest.raises(ToolError, match="can't be followed"):
                parsed_arguments(checked([tool])[0], '{"a": 1}')
        finally:
            elsewhere.shutdown()
    assert asked == []


def test_a_reference_within_is():
    schema = {
        "type": "object",
        "$defs": {"n": {"type": "integer"}},
        "properties": {"a": {"$ref": "#/$defs/n"}},
    }
    assert parsed_arguments(Tool("t", "", schema), '{"a": 1}') == {"a": 1}
    with pytest.raises(ToolError):
        parsed_arguments(Tool("t", "", schema), '{"a": "1"}')


def test_a_schema_that_refers_to_itself_for_ever_ends():
    with pytest.raises(ToolError, match="can't be followed"):
        parsed_arguments(Tool("t", "", {"type": "object", "$ref": "#"}), "{}")


def test_a_pattern_is_left_to_the_tool():
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}}
    # A checker would say no, and with 30 letters more it would take hours to.
    assert parsed_arguments(Tool("t", "", schema), '{"a": "aaaaaaaa!"}') == {"a": "aaaaaaaa!"}

"""What the avatar can do beside talking: the tools of a call, the client's and the server's."""

from avatar.tools.schema import checked
from speech.types import NamedTool, Tool, ToolCall, ToolChoice

__all__ = ["NamedTool", "Tool", "ToolCall", "ToolChoice", "checked"]

"""Keeps keys, secrets and tokens out of logs, whoever writes them.

Nothing here logs one. But libraries print headers and messages when they are asked to say all that
they do (`presencia serve --verbose`).
"""

import logging
import re

_TOKEN = re.compile(
    r"\b(?:pres_[0-9a-f]{8}_|ek_)[\w-]+"
    r"|(?<=\bopenai-insecure-api-key\.)[^\s,'\"]+"
    r"|(?<=\bpresencia-resume\.)[^\s,'\"]+"
    r"|(?i:(?<=\bbearer )[^\s,'\"]+)"
    r"|(?i:(?<=\bapi-key: )[^\s,'\"]+)"
    r"|(?i:(?<=\bapi-key=|\bapi_key=)[^\s&'\"]+)"
    r"|(?<=\"resume_token\":\")[^\"]+|(?<=\"resume_token\": \")[^\"]+"
    r"|(?<=\"resume\":{\"token\":\")[^\"]+"
)


class WithoutTokens(logging.Formatter):
    """Formats as another formatter does, with every token replaced."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """The record as text, tracebacks included."""
        return without_tokens(self._inner.format(record))


def without_tokens(text: str) -> str:
    """The text, with every token in it replaced."""
    return _TOKEN.sub("[token]", text)


_REFUSED = "ASGI callable returned without completing handshake."


def keep_refusals_out_of_logs() -> None:
    """Have the HTTP library not take a WebSocket that was refused for a failure of ours.

    It does so for each; anybody could fill the disk with them.
    """
    logging.getLogger("uvicorn.error").addFilter(lambda record: record.msg != _REFUSED)


def keep_tokens_out_of_logs() -> None:
    """Have every handler of the root logger write no token from now on."""
    for handler in logging.getLogger().handlers:
        handler.setFormatter(WithoutTokens(handler.formatter or logging.Formatter()))

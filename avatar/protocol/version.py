"""The version of our wire protocol; docs/protocol.md, Versions, says what its numbers promise."""

PROTOCOL_VERSION = "1.0.0"

"""Calls over a WebSocket: sound and events on one line, for dialects that put sound in words."""

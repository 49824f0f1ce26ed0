"""Calls kept as files: the person's audio, every event both ways, and when each came."""

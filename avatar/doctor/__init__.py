"""The connection doctor: what can keep a call from working, looked at, with the way to mend it."""

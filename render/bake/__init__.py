"""Offline tools that make a face; nothing here runs during a call."""

"""The Azure Voice Live protocol, over the Realtime one."""

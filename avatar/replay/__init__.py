"""Calls run again: recorded ones and written ones, through today's code, without a network."""

"""Hearing, thinking and speaking: stage types, Protocols and one file per backend."""

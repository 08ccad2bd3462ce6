"""Reads users' files; nothing else in the library does."""

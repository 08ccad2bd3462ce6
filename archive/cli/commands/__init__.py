"""Holds one module for each command; each offers `command`, and is imported when that command is run."""

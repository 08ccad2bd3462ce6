"""Holds the demonstration: a sample project, what happens to it, and the story told with real commands."""

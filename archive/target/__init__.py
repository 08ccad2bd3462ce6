"""Writes users' files; nothing else in the library does."""

from __future__ import annotations

from archive.target.placing import AttributeChange
from archive.target.staging import StagedFile, clean_stale
from archive.target.target import Obstacle, Target

__all__ = ["AttributeChange", "Obstacle", "StagedFile", "Target", "clean_stale"]

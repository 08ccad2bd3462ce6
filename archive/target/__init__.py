"""Writes users' files; nothing else in the library does."""

from __future__ import annotations

from archive.target.placing import AttributeChange
from archive.target.staging import Place, clean_stale, stage_share
from archive.target.target import Obstacle, Target
from archive.target.writing import StagedFile, Written

__all__ = ["AttributeChange", "Obstacle", "Place", "StagedFile", "Target", "Written", "clean_stale", "stage_share"]

"""Holds what packages are made from."""

from __future__ import annotations

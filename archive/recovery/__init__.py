"""Makes emergency packages: folders from which a project comes back with none of our software."""

from __future__ import annotations

from archive.recovery.making import PackageRequest, make_package

__all__ = ["PackageRequest", "make_package"]

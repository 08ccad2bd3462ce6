"""Is the program of a package, restore.py, in parts that `archive.recovery.program` puts together to one file.

Everything here is written for Python 3.8 and imports the standard library alone, and what stands in the parts before it:

    ground → lists → package → doing → main
"""

from __future__ import annotations

"""The front door: everything a program can do with an archive, as methods of one class.

Methods are a few lines each: they open a transaction, let a verb do the work, and return a frozen value. Nothing here
prints, reads the environment, or asks the time of anybody but the clock.
"""

from __future__ import annotations

from archive.api.asking import Asking
from archive.api.finding import Finding
from archive.api.keeping import Keeping
from archive.api.looking import Looking
from archive.api.remembering import Remembering
from archive.api.rescuing import Rescuing
from archive.api.working import Working


class Archive(Asking, Finding, Keeping, Looking, Remembering, Rescuing, Working):
    """Is one archive file, opened for reading or for writing.

    Use it as a context manager, or call `close`. An object belongs to one thread; any number of processes may read an
    archive while one writes, and a second writer waits.

    Wherever a moment is asked for (`at`), it is given as text: a snapshot's id (`12`), its label (`20230401_120000`),
    `latest`, `latest~3`, an ISO time (the newest snapshot not after it), or a relative time (`2 hours ago`).

    Attributes:
        path: The archive's file.
        source_name: The source that is read, or None for the only one there is.
    """

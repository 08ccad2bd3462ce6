"""Measures the archive beside restic, Borg and git on generated projects: `scripts/bench`.

    vocabulary, documents, edits   seeded text, files made of records, and small changes to them
    corpora                        `medium` (many files, once) and `history` (few files, many states)
    launch, process                one whole process: wall time, peak memory, optionally its syncs
    tools                          the archive and its peers behind one small interface
    scenario, report               named measurements with their targets, and the table they make
    scenarios_*                    what is measured; importing one of them registers it

A new scenario is a function decorated with `scenario` that yields rows; see `benchmark.scenario`.
"""

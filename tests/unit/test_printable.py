from __future__ import annotations

import os
import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st

from archive.extract.printable import shell_word


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=20).filter(lambda name: b"\0" not in name))
def test_what_is_to_be_typed_is_printable_and_means_the_same_to_a_shell(name: bytes) -> None:
    word = shell_word(os.fsdecode(name))
    assert word.isprintable()
    ran = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"})
    assert ran.stdout == name


def test_what_can_be_typed_as_it_is_stays_as_it_is() -> None:
    assert shell_word("agents/tasks.json#/tasks/0") == "'agents/tasks.json#/tasks/0'"
    assert shell_word("notes/größe.md") == "'notes/größe.md'"
    assert shell_word("b\udcfe's.json") == r"$'b\xfe\'s.json'"

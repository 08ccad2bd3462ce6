"""A module is one idea and a function one thought: both have a length that is never exceeded."""

from __future__ import annotations

from tests.architecture.source_rules import FUNCTION_LINES_MAX, MODULE_LINES_MAX, Finding, listed, oversized, sources


def test_no_module_and_no_function_is_too_long() -> None:
    found: list[Finding] = []
    for path, text in sources("archive", "migrations", "scripts"):
        found += oversized(path, text)
    assert listed(found) == ""


def test_a_module_one_line_too_long_is_found() -> None:
    assert oversized("m.py", "x = 1\n" * MODULE_LINES_MAX) == []
    assert [finding.line for finding in oversized("m.py", "x = 1\n" * (MODULE_LINES_MAX + 1))] == [1]


def test_a_function_one_line_too_long_is_found_wherever_it_stands() -> None:
    def class_with_method(lines: int) -> str:
        return "class A:\n    async def method(self):\n" + "        x = 1\n" * (lines - 1)

    assert oversized("m.py", class_with_method(FUNCTION_LINES_MAX)) == []
    assert [finding.line for finding in oversized("m.py", class_with_method(FUNCTION_LINES_MAX + 1))] == [2]

"""The benchmark's corpora: the same everywhere, and of the sizes and edits they promise."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmark import edits
from benchmark.corpora import History, Medium, tree_digest
from benchmark.vocabulary import SLOTS, Vocabulary

FILES = 200
STATES = 60


def tree(root: Path) -> dict[str, bytes]:
    """Returns the bytes of all files by path."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def medium(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A part of `medium`."""
    root = tmp_path_factory.mktemp("medium")
    Medium(files=FILES).write(root, range(FILES))
    return tree(root)


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, bytes]]:
    """All states of a small `history`."""
    return list(replay(tmp_path_factory.mktemp("history"), "1"))


def replay(root: Path, seed: str) -> Iterator[dict[str, bytes]]:
    """Yields state after state."""
    for _ in History(seed, files=20, mean_bytes=20_000).states(root, STATES):
        yield tree(root)


def test_medium_is_the_same_bytes_on_every_machine_and_python(tmp_path: Path) -> None:
    Medium(files=40).write(tmp_path, range(40))
    assert tree_digest(tmp_path) == "7b6cbe450f969ca2444c16f7455120a8d42c028d7a567f3f4adb3aabbf3331cd"


def test_history_is_the_same_bytes_on_every_machine_and_python(tmp_path: Path) -> None:
    for _ in History(files=10, mean_bytes=5_000).states(tmp_path, 30):
        pass
    assert tree_digest(tmp_path) == "3949cf1fd4c7b29c0bf44a266645a5e3a6f447bdfcc1517f00f58b526d4fe582"


def test_medium_does_not_depend_on_the_order_in_which_its_files_are_made(tmp_path: Path, medium: dict[str, bytes]) -> None:
    for number in random.Random(5).sample(range(FILES), FILES):
        Medium(files=FILES).write(tmp_path, range(number, number + 1))
    assert tree(tmp_path) == medium


def test_another_seed_makes_other_files(tmp_path: Path, medium: dict[str, bytes]) -> None:
    Medium(seed="2", files=FILES).write(tmp_path, range(FILES))
    assert not set(tree(tmp_path).values()) & set(medium.values())


def test_four_in_five_files_are_json_and_the_rest_markdown(medium: dict[str, bytes]) -> None:
    endings = [path.rsplit(".", 1)[1] for path in medium]
    assert len(medium) == FILES
    assert (endings.count("json"), endings.count("md")) == (FILES * 4 // 5, FILES // 5)


def test_json_files_hold_1_to_50_kilobytes_and_about_9_on_average_over_all(medium: dict[str, bytes]) -> None:
    sizes = [len(data) for path, data in medium.items() if path.endswith(".json")]
    assert min(sizes) >= 950
    assert max(sizes) <= 50_000
    assert 7_500 <= sum(map(len, medium.values())) / FILES <= 10_500


def test_files_lie_in_nested_folders(medium: dict[str, bytes]) -> None:
    assert min(path.count("/") for path in medium) >= 3
    assert len({path.rsplit("/", 1)[0] for path in medium}) > 20


def test_every_json_file_of_medium_is_valid_and_holds_records(medium: dict[str, bytes]) -> None:
    for path, data in medium.items():
        if path.endswith(".json"):
            document = json.loads(data)
            assert document["metadata"], path
            assert any(len(member) >= 1 for name, member in document.items() if name != "metadata"), path


def test_the_content_holds_the_words_of_this_field(medium: dict[str, bytes]) -> None:
    text = b"\n".join(medium.values()).decode()
    for word in ("loadJsonMemory", "perf_opt_2025", "js/utils.js", "TASK-123", '"priority"', '"in_progress"', "記憶"):
        assert word in text, word


def test_words_are_drawn_by_zipfs_law() -> None:
    words = Vocabulary("1")
    drawn = [word.strip(",") for word in words.draw(random.Random(1), SLOTS)]
    counts = [drawn.count(words.words[rank]) for rank in (0, 9, 99, 999)]
    assert counts == sorted(counts, reverse=True)
    assert 5 <= counts[0] / counts[2] <= 80
    assert len(set(drawn)) > 5_000


def test_a_complete_corpus_in_the_cache_is_used_again_and_an_incomplete_one_is_made_anew(tmp_path: Path) -> None:
    corpus = Medium(files=6)
    root = corpus.generate(tmp_path)
    whole = tree(root)
    victim = next(root.rglob("*.json"))
    victim.write_bytes(b"marked")
    assert corpus.generate(tmp_path) == root
    assert victim.read_bytes() == b"marked"
    root.with_name(root.name + ".complete").unlink()
    assert tree(corpus.generate(tmp_path)) == whole


def test_each_round_of_edits_changes_one_file_in_a_hundred_a_little_and_never_the_same(tmp_path: Path) -> None:
    corpus = Medium(files=FILES)
    corpus.write(tmp_path, range(FILES))
    before = tree(tmp_path)
    seen: set[str] = set()
    for number in range(5):
        edited = corpus.edit_one_percent(tmp_path, number)
        after = tree(tmp_path)
        assert after.keys() == before.keys()
        assert {path for path in after if after[path] != before[path]} == set(edited)
        assert len(edited) == FILES // 100
        assert not seen & set(edited)
        assert all(abs(len(after[path]) - len(before[path])) < 5_000 for path in edited)
        seen |= set(edited)
        before = after


def test_each_state_of_the_history_changes_one_to_six_files_and_those_it_names(tmp_path: Path) -> None:
    history = History(files=20, mean_bytes=20_000)
    history.write(tmp_path)
    before = tree(tmp_path)
    for number in range(2, STATES + 1):
        changed = history.apply_state(tmp_path, number)
        after = tree(tmp_path)
        assert 1 <= len(changed) <= 6
        assert {path for path in after if after[path] != before.get(path)} == set(changed)
        assert after.keys() == before.keys()
        before = after


def test_two_replays_of_a_history_are_equal_state_by_state(tmp_path: Path, states: list[dict[str, bytes]]) -> None:
    assert list(replay(tmp_path, "1")) == states


def test_states_cannot_be_skipped(tmp_path: Path) -> None:
    history = History(files=3, mean_bytes=2_000)
    history.write(tmp_path)
    with pytest.raises(AssertionError, match="in order"):
        history.apply_state(tmp_path, 3)


def test_files_of_the_history_have_the_promised_mean_size_and_the_usual_kinds(states: list[dict[str, bytes]]) -> None:
    first = states[0]
    assert sum(map(len, first.values())) / len(first) == pytest.approx(20_000, rel=0.1)
    assert {path.rsplit(".", 1)[1] for path in first} == {"json", "jsonl", "md"}


def test_files_of_the_history_keep_about_their_size(states: list[dict[str, bytes]]) -> None:
    sound = [{path: data for path, data in state.items() if is_sound(path, data)} for state in (states[0], states[-1])]
    both = sound[0].keys() & sound[1].keys()
    first, last = (sum(len(state[path]) for path in both) for state in sound)
    assert last == pytest.approx(first, rel=0.03)


def is_sound(path: str, data: bytes) -> bool:
    """Returns whether the bytes are what the ending promises."""
    try:
        if path.endswith(".jsonl"):
            return bool(data) and all(isinstance(json.loads(line), dict) for line in data.splitlines())
        return bool(data) and (not path.endswith(".json") or isinstance(json.loads(data), dict))
    except ValueError:
        return False


def test_some_files_are_damaged_for_a_few_states_and_all_are_put_right(states: list[dict[str, bytes]]) -> None:
    spells: dict[str, int] = {}
    longest = damaged = 0
    for state in states:
        for path, data in state.items():
            spells[path] = 0 if is_sound(path, data) else spells.get(path, 0) + 1
            damaged += spells[path] == 1
            longest = max(longest, spells[path])
    assert damaged >= 1
    assert 1 <= longest <= 6


@pytest.mark.parametrize("seed", range(40))
def test_damage_never_leaves_the_file_as_it_was(seed: int) -> None:
    whole = b'{"tasks": [' + b'{"id": 1, "title": "a"},\n' * 50 + b"{}]}\n"
    assert edits.damage(random.Random(seed), whole) != whole

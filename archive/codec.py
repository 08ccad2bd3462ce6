"""Compresses superseded content as a zstd delta against the content that took its place.

A delta is one zstd frame made with the newer bytes as a raw-content dictionary (`zstd --patch-from` reads and writes the
same form); a keyframe is a plain zstd frame. Both record the size of what they decode to and carry no checksum of their
own, since every blob is checked against its hash when it is read.

The window covers dictionary and content together. Without that, zstd forgets the start of the dictionary in long
documents and the delta of a small edit grows to the size of the document.
"""

from __future__ import annotations

import zstandard

DELTA_LEVEL = 3
# Keyframes are rare (the last content of removed documents, and what has nothing in common with its neighbours) and have
# nothing to lean on, so they are worth more effort.
KEYFRAME_LEVEL = 9
# zstd's own limits for the base-2 logarithm of the window in bytes; 30 is 1 GiB, the largest content SQLite can hold.
_WINDOW_LOG_MIN = 10
_WINDOW_LOG_MAX = 30
# Up to these, the tables of the level and its strategy reach all of the dictionary.
_WINDOW_LOG_OF_LEVEL = 20
_WINDOW_LOG_OF_FAST = 24


class DecodeError(ValueError):
    """Says that bytes are not a frame, or not one made with this base."""


def encode_delta(older: bytes, newer: bytes) -> bytes:
    """Returns `older` as a delta from which it can be rebuilt with `newer` at hand."""
    window_log = _window_log(len(older) + len(newer))
    parameters = zstandard.ZstdCompressionParameters.from_level(
        DELTA_LEVEL,
        source_size=len(older),
        window_log=window_log,
        write_content_size=1,
        write_checksum=0,
        write_dict_id=0,
        **_reach(window_log),
    )
    base = zstandard.ZstdCompressionDict(newer, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    return zstandard.ZstdCompressor(compression_params=parameters, dict_data=base).compress(older)


def encode_keyframe(data: bytes) -> bytes:
    """Returns the bytes compressed on their own."""
    return zstandard.ZstdCompressor(level=KEYFRAME_LEVEL, write_checksum=False).compress(data)


def decode(frame: bytes, base: bytes | None) -> bytes:
    """Rebuilds what `encode_delta` (with its `newer` as `base`) or `encode_keyframe` (`base` None) was given.

    Raises:
        DecodeError: The frame is damaged, or the base is not the one it was made with and zstd noticed. A wrong base that
            goes unnoticed gives wrong bytes: callers compare the hash.
    """
    dictionary = None
    if base:
        dictionary = zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    decompressor = zstandard.ZstdDecompressor(dict_data=dictionary, max_window_size=1 << (_WINDOW_LOG_MAX + 1))
    try:
        return decompressor.decompress(frame, read_across_frames=False, allow_extra_data=False)
    except (zstandard.ZstdError, MemoryError) as error:
        raise DecodeError(str(error)) from error


def _reach(window_log: int) -> dict[str, int]:
    """Returns the parameters that let zstd find matches in all of a long dictionary.

    The tables of level 3 hold 131,072 places: in a document of 2 MB the edit of a few bytes took 140 KB, with these 230
    bytes. Its fast strategy also looks at no more than the last 16 MB of a dictionary; of 100 MB, an edit took 14 MB, with
    the greedy one, made to look for longer matches, 10 KB.
    """
    if window_log <= _WINDOW_LOG_OF_LEVEL:
        return {}
    if window_log <= _WINDOW_LOG_OF_FAST:
        return {"hash_log": window_log - 3, "chain_log": window_log - 3}
    most = {"hash_log": _WINDOW_LOG_OF_FAST, "chain_log": _WINDOW_LOG_OF_FAST, "min_match": 6, "search_log": 2}
    return {"strategy": zstandard.STRATEGY_GREEDY, **most}


def _window_log(size_bytes: int) -> int:
    return min(max(size_bytes.bit_length(), _WINDOW_LOG_MIN), _WINDOW_LOG_MAX)

"""Reads JSON text in any condition, and says in words for people what is wrong with it.

This is the careful reader behind the fast checks: it knows where it is, so it can tell a file that ends too early from
one that holds two documents, and it reads on over deviations that leave no doubt of what was meant. It keeps its own
stack, so no depth of nesting can exhaust the interpreter's.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import NamedTuple, NoReturn, cast

from archive.extract.pointer import format_pointer
from archive.extract.printable import printable, shown, without_values
from archive.model.base import Json

MAX_DEPTH = 1_000
"""Nesting beyond this is not read on."""

_MAX_INTEGER_DIGITS = 4_300  # Python's own default limit for turning text into an integer and back
_MAX_POINTER_CHARACTERS = 160
_MAX_NAMED = 3  # places named for each deviation

_SPACE = re.compile(r"[ \t\n\r]*")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_PLAIN_STRING = re.compile(r'"([^"\\\x00-\x1f]*+)"')
_STRING_BODY = re.compile(r'(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+')
_CUT_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(\.[0-9]++)?([eE][-+]?[0-9]++)?(?![-+.0-9eE])")
_NUMBER_LIKE = re.compile(r"[-+.0-9][-+.\w]*+")
_CUT_NUMBER = re.compile(r"-?(?:(?:0|[1-9][0-9]*+)(?:\.[0-9]*+)?(?:[eE][-+]?)?)?")
_WORD = re.compile(r"[A-Za-z_$][\w$]*+")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

_DECODER = json.JSONDecoder()
_WORDS: dict[str, Json] = {"true": True, "false": False, "null": None}
_NUMBER_WORDS = {"NaN": float("nan"), "Infinity": float("inf")}
_MEANT = {"True": "true", "False": "false", "None": "null", "TRUE": "true", "FALSE": "false", "undefined": "null"}
# The order in which deviations are named: what may lose data first.
_DEVIATIONS = ("duplicate_keys", "not_a_number", "lone_surrogate", "comments", "trailing_comma")


class LongInteger(str):
    """Is an integer of more digits than Python turns into a number (4,300), kept as its text."""

    __slots__ = ()


class Origin(NamedTuple):
    """Says where a text lies in its file, so that positions in messages are the file's.

    Attributes:
        line: The number of the text's first line, from 1.
        byte: How many bytes of the file come before the text; None if bytes are not to be counted.
        encoding: What the file's bytes are, for counting them.
    """

    line: int = 1
    byte: int | None = 0
    encoding: str = "utf-8"


WHOLE_FILE = Origin()


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read.

    Attributes:
        value: The first document where one is complete, else None; also None if values were not to be kept.
        complete: Whether a first document is complete, whatever follows it.
        fault: Why the text is not one whole document, as code and message; empty if it is.
        deviations: What differs from strict JSON and was read all the same, each as code and message.
        depth: How deeply the document is nested; a scalar has 0.
    """

    value: Json
    complete: bool
    fault: str
    deviations: tuple[str, ...]
    depth: int


def read_json(text: str, *, keep: bool = True, origin: Origin = WHOLE_FILE) -> Reading:
    """Reads a text that should be one JSON document; never raises, and takes time linear in its length.

    Where a name occurs twice in an object the last value counts. Integers are exact (`LongInteger` if very long), other
    numbers are doubles, infinite where they are too large.

    Args:
        keep: Whether to build the value; without it the memory needed does not grow with the document, apart from the
            names of the objects that are open at a time.
    """
    reader = _Reader(text, keep=keep, origin=origin)
    value: Json = None
    complete, fault = False, ""
    try:
        reader.skip()
        value = reader.document()
        complete = True
        reader.end()
    except _Fault as found:
        fault = f"{found.code}: {found.message}"
    return Reading(value, complete, fault, reader.deviations(), reader.depth)


class _Fault(Exception):
    """Ends the reading where the text cannot be understood any more."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class _Open:
    """Stands for a container that was opened and has elements to come."""


_OPEN = _Open()


class _Frame:
    """Is an array or object that is not closed yet."""

    __slots__ = ("count", "items", "key", "names", "start")

    def __init__(self, start: int, items: dict[str, Json] | list[Json] | None, names: set[str] | None) -> None:
        self.start = start
        self.items = items
        self.names = names  # those seen so far; None for an array
        self.key: str | None = None  # None between two members
        self.count = 0

    @property
    def closer(self) -> str:
        return "]" if self.names is None else "}"

    @property
    def noun(self) -> str:
        return "array" if self.names is None else "object"

    @property
    def steps(self) -> tuple[str | int, ...]:
        """The way to the element that is being read; none while a name is."""
        if self.names is None:
            return (self.count,)
        return () if self.key is None else (self.key,)

    def add(self, value: Json) -> None:
        self.count += 1
        if isinstance(self.items, list):
            self.items.append(value)
        elif self.items is not None and self.key is not None:
            self.items[self.key] = value


@dataclass(slots=True)
class _Deviation:
    count: int = 0
    places: list[str] = field(default_factory=list)


class _Reader:
    """Reads one text from front to back."""

    def __init__(self, text: str, *, keep: bool, origin: Origin) -> None:
        self._text = text
        self._position = 0
        self._keep = keep
        self._origin = origin
        self._frames: list[_Frame] = []
        self._deviations: dict[str, _Deviation] = {}
        self.depth = 0

    def document(self) -> Json:
        """Reads one value with all that is in it."""
        while True:
            value = self._value()
            while not isinstance(value, _Open):
                if not self._frames:
                    return value
                frame = self._frames[-1]
                frame.add(value)
                value = _OPEN if self._goes_on(frame) else self._close()

    def end(self) -> None:
        """Makes sure that nothing follows."""
        end = self._position
        self.skip()
        if self._position < len(self._text):
            raise _Fault(
                "trailing_data",
                f"a complete document ends at {self._place(end - 1)}{self._bytes(end)} and more follows at "
                f"{self._place(self._position)}: {self._found()}",
            )

    def deviations(self) -> tuple[str, ...]:
        """Returns what was met and read all the same."""
        result = []
        for code in _DEVIATIONS:
            if met := self._deviations.get(code):
                more = met.count - len(met.places)
                result.append(f"{code}: {', '.join(met.places)}{f' and {more:,} more' if more else ''}")
        return tuple(result)

    def skip(self) -> None:
        """Goes to the next character that is neither white space nor part of a comment."""
        text = self._text
        self._position = _SPACE.match(text, self._position).end()  # type: ignore[union-attr]  # matches always
        while text.startswith("/", self._position):
            comment = _COMMENT.match(text, self._position)
            if comment is None:
                if text.startswith("/*", self._position):
                    raise _Fault("truncated", f"ends inside a comment that starts at {self._place(self._position)}")
                return
            self._deviates("comments", self._position)
            self._position = _SPACE.match(text, comment.end()).end()  # type: ignore[union-attr]

    def _value(self) -> Json | _Open:
        text, start = self._text, self._position
        char = text[start : start + 1]
        if char == '"':
            return self._string()
        if char == "{":
            return self._open({} if self._keep else None, set())
        if char == "[":
            return self._open([] if self._keep else None, None)
        number = _NUMBER.match(text, start)
        if number is not None:
            self._position = number.end()
            if number.group(1) is None and number.group(2) is None:
                return _integer(number.group())
            return float(number.group())
        return self._word(char)

    def _open(self, items: dict[str, Json] | list[Json] | None, names: set[str] | None) -> Json | _Open:
        if len(self._frames) >= MAX_DEPTH:
            self._fail("too_deep", f"nested deeper than {MAX_DEPTH:,} levels at {self._place(self._position)}")
        frame = _Frame(self._position, items, names)
        self._frames.append(frame)
        self.depth = max(self.depth, len(self._frames))
        self._position += 1
        self.skip()
        if self._text.startswith(frame.closer, self._position):
            return self._close()
        if names is not None:
            self._name(frame)
        return _OPEN

    def _close(self) -> Json:
        self._position += 1
        return self._frames.pop().items

    def _goes_on(self, frame: _Frame) -> bool:
        """Goes behind the comma that follows an element, or to the bracket that closes the container."""
        self.skip()
        text, position = self._text, self._position
        if text.startswith(frame.closer, position):
            return False
        if not text.startswith(",", position):
            self._expected(f"',' or '{frame.closer}'", between=True)
        self._position += 1
        self.skip()
        if text.startswith(frame.closer, self._position):
            self._deviates("trailing_comma", position)
            return False
        if frame.names is not None:
            self._name(frame)
        return True

    def _name(self, frame: _Frame) -> None:
        assert frame.names is not None
        start = self._position
        frame.key = None
        if not self._text.startswith('"', start):
            self._expected("a name in double quotes", between=True)
        frame.key = self._string()
        if frame.key in frame.names:
            self._deviates("duplicate_keys", start, named=True)
        frame.names.add(frame.key)
        self.skip()
        if not self._text.startswith(":", self._position):
            self._expected("':' after the name")
        self._position += 1
        self.skip()

    def _string(self) -> str:
        start = self._position
        plain = _PLAIN_STRING.match(self._text, start)
        if plain is not None:
            self._position = plain.end()
            return plain.group(1)
        try:
            value, self._position = cast("tuple[str, int]", _DECODER.raw_decode(self._text, start))
        except json.JSONDecodeError:
            self._broken_string(start)
        if _LONE_SURROGATE.search(value):
            self._deviates("lone_surrogate", start)
        return value

    def _broken_string(self, start: int) -> NoReturn:
        text = self._text
        body = _STRING_BODY.match(text, start + 1)
        assert body is not None
        end = body.end()
        bad = text[end : end + 1]
        cut = _CUT_ESCAPE.match(text, end)
        if not bad or (cut and cut.end() == len(text)) or (bad in "\r\n" and not text[end:].strip()):
            self._fail("truncated", f"ends inside a string that starts at {self._place(start)}")
        if bad == "\\":
            escape = shown(text[end : end + (6 if text.startswith("u", end + 1) else 2)])
            self._fail("syntax", f"{self._place(end)}: {escape} is no escape of JSON")
        if bad in "\r\n":
            self._fail("syntax", f"{self._place(start)}: the string that starts here is not closed on its line")
        self._fail("syntax", f"{self._place(end)}: control character U+{ord(bad):04X} inside a string is not escaped")

    def _word(self, char: str) -> Json:
        """Reads a literal, or says what is wrong with what stands in the place of a value."""
        text, start = self._text, self._position
        sign = 1 if text.startswith("-", start) else 0
        found = _WORD.match(text, start + sign)
        word = found.group() if found else ""
        if not sign and word in _WORDS:
            self._position += len(word)
            return _WORDS[word]
        if word in _NUMBER_WORDS and not (sign and word == "NaN"):
            self._deviates("not_a_number", start)
            self._position += sign + len(word)
            return -_NUMBER_WORDS[word] if sign else _NUMBER_WORDS[word]
        at_end = bool(word) and start + sign + len(word) == len(text)
        possible = ("Infinity",) if sign else (*_WORDS, *_NUMBER_WORDS)
        if at_end and any(known.startswith(word) for known in possible):
            self._fail("truncated", f"ends inside a word that starts at {self._place(start)}")
        if word in _MEANT and not sign:
            self._fail("syntax", f"{self._place(start)}: {word} is written {_MEANT[word]} in JSON")
        if number := _NUMBER_LIKE.match(text, start):
            if number.end() == len(text) and _CUT_NUMBER.fullmatch(number.group()):
                self._fail("truncated", f"ends inside a number that starts at {self._place(start)}")
            self._fail("syntax", f"{self._place(start)}: what stands here is no number of JSON")
        if char == "'":
            self._fail("syntax", f"{self._place(start)}: strings stand in double quotes in JSON")
        return self._expected("a value")

    def _expected(self, what: str, *, between: bool = False) -> NoReturn:
        """Fails for want of something; `between` two elements, and so in none of them."""
        if self._position < len(self._text):
            message = f"{self._place(self._position)}: expected {what}, found {self._found()}"
            self._fail("syntax", message, between=between)
        if not self._frames:
            raise _Fault("empty", "holds no value")
        frame = self._frames[-1]
        elements = f"{frame.count:,} whole element{'' if frame.count == 1 else 's'}"
        message = f"ends inside an {frame.noun} that starts at {self._place(frame.start)}, after {elements}"
        self._fail("truncated", message, between=True)

    def _fail(self, code: str, message: str, *, between: bool = False) -> NoReturn:
        pointer = self._pointer(self._frames[:-1] if between else self._frames)
        raise _Fault(code, f"{message} (in {pointer})" if pointer else message)

    def _deviates(self, code: str, position: int, *, named: bool = False) -> None:
        met = self._deviations.setdefault(code, _Deviation())
        met.count += 1
        if met.count <= _MAX_NAMED:
            name = f"{self._pointer(self._frames)} " if named else ""
            met.places.append(f"{name}at {self._place(position)}")

    def _pointer(self, frames: list[_Frame]) -> str:
        """Returns the pointer to what is being read; of a long one the end."""
        text = printable(format_pointer(step for frame in frames for step in frame.steps))
        return text if len(text) <= _MAX_POINTER_CHARACTERS else "…" + text[-_MAX_POINTER_CHARACTERS:]

    def _found(self) -> str:
        return shown(without_values(self._text[self._position : self._position + 31].partition("\n")[0]))

    def _bytes(self, position: int) -> str:
        if self._origin.byte is None:
            return ""
        return f" (byte {self._origin.byte + len(self._text[:position].encode(self._origin.encoding)):,})"

    def _place(self, position: int) -> str:
        line = self._origin.line + self._text.count("\n", 0, position)
        return f"line {line:,} column {position - self._text.rfind(chr(10), 0, position):,}"


def _integer(digits: str) -> int | LongInteger:
    if len(digits) > _MAX_INTEGER_DIGITS:
        return LongInteger(digits)
    try:
        return int(digits)
    except ValueError:  # the limit can be set lower
        return LongInteger(digits)

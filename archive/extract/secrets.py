"""Finds values that look like secrets, so that search, snippets and the index never show them.

A value is masked for the name it stands under (`api_key`, `password` …), in JSON and in running text alike
(`API_KEY=…`, `password: …`, `--token …`), or for its own shape (private key blocks, bearer tokens, keys of well-known
services, passwords in addresses). The documents themselves are stored as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from archive.extract.words import keylike_runs

MASK: Final = "[masked]"
"""Stands where a secret was."""

SECRET_NAMES: Final = (
    "password", "passwd", "passphrase", "passcode", "pwd", "secret", "token", "credential", "authorization",
    "cookie", "jwt", "bearer", "api_key", "apikey", "private_key", "privatekey", "secret_key", "secretkey", "access_key",
    "accesskey", "auth_key", "authkey", "signing_key", "encryption_key", "master_key", "account_key", "service_key",
    "ssh_key", "license_key", "auth_token", "authtoken", "access_token", "accesstoken", "refresh_token", "client_secret",
    "db_pass", "user_pass", "root_pass", "smtp_pass", "basic_auth",
)  # fmt: skip
"""Names under which values are masked by default; see `SecretRules`."""

# Words that may follow a secret's name without making it something else: `password_hash`, `api_key_old`, `token2`.
_QUALIFIERS = frozenset(
    [
        "value",
        "hash",
        "plain",
        "plaintext",
        "raw",
        "text",
        "string",
        "encrypted",
        "base64",
        "b64",
        "old",
        "new",
        "current",
        "previous",
        "backup",
        "prod",
        "production",
        "dev",
        "staging",
        "test",
        "live",
        "primary",
        "secondary",
    ]
)
# Plurals of these count things (`max_tokens`); only with a word before them do they hold any (`access_tokens`).
_COUNTED = frozenset({"token", "cookie", "bearer"})
# The only words that make a secret of what follows a colon even at the end of a few words of prose.
_PLAIN_WORDS = frozenset({"password", "passwd", "passphrase", "passcode", "pwd"})
# No other word ends like these, so that `PGPASSWORD` needs no sign between its parts.
_GLUED_ENDINGS = ("password", "passwd", "passphrase", "passwords")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

_PROSE_AFTER_BEARER = (
    r"(?!(?:tokens?|auth\w*|schemes?|headers?|format|prefix|type|keys?|credentials?|of|in|is|are|and|or|for|to|the|as|with"
    r"|JWTs?|jwt)\b)"
)
_PRIVATE_KEY = r"[A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
# What is secret wherever it stands. A needle that every match contains comes first: looking for it is much cheaper.
_SHAPES = tuple(
    (needle, re.compile(pattern, re.DOTALL))
    for needle, pattern in {
        "-----BEGIN": rf"-----BEGIN {_PRIVATE_KEY}.*?(?:-----END {_PRIVATE_KEY}|\Z)",
        "://": r"(?<=://)(?P<keep>[^\s/@:\"'<>]*:)[^\s/@\"'<>]+(?=@)",
        "earer ": rf"(?P<keep>\b[Bb]earer +){_PROSE_AFTER_BEARER}[\w.~+/=-]{{3,}}",
        **{f"gh{kind}_": rf"(?<![A-Za-z0-9])gh{kind}_[A-Za-z0-9]{{20,}}" for kind in "pousr"},
        "github_pat_": r"github_pat_\w{20,}",
        "glpat-": r"glpat-[\w-]{16,}",
        "sk-": r"(?<![A-Za-z0-9])sk-(?=[\w-]{0,200}[0-9])[\w-]{20,300}",
        "k_live_": r"(?<![A-Za-z0-9])[prs]k_live_\w{12,}",
        "AKIA": r"(?<![A-Za-z0-9])AKIA[0-9A-Z]{16}(?![0-9A-Za-z])",
        "ASIA": r"(?<![A-Za-z0-9])ASIA[0-9A-Z]{16}(?![0-9A-Za-z])",
        "xox": r"xox[abeoprs]-[\w-]{15,}",
        "AIza": r"AIza[\w-]{35}",
        "eyJ": r"(?<![\w-])eyJ[\w-]{17,}\.[\w-]{8,}(?:\.[\w-]*)?",
        "npm_": r"(?<![A-Za-z0-9])npm_[A-Za-z0-9]{30,}",
        "pypi-": r"pypi-[\w-]{40,}",
        "hf_": r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{30,}",
        "AGE-SECRET-KEY-": r"AGE-SECRET-KEY-1[0-9A-Z]{20,}",
    }.items()
)
_KEY_STARTS = re.compile(
    r"(?<![A-Za-z0-9])(?:gh[pousr]_|sk-|npm_|hf_|[prs]k_live_|A[KS]IA)|github_pat_|glpat-|xox|AIza|eyJ|pypi-|AGE-SECRET"
)

_SHORTEST_KEY = 20
_LONGEST_START = 64  # of a key, with what it may have between its start and its first long run

# `name = value` on a line of its own, with what may stand before it in Markdown, shells and YAML: the whole rest counts.
_LINE = re.compile(
    r"^(?P<head>[ \t]*+(?:[-*+>][ \t]+|\d+[.)][ \t]+)*+(?:(?:export|set|ENV|\$env:)[ \t]*)?+[\"'`*_]{0,3}"
    r"(?P<name>[A-Za-z](?:[\w.-]|[ ](?=[A-Za-z])){0,60})[\"'`*_]{0,3}[ \t]*+(?::[\"'`*_]{0,3}(?=[ \t])|=>?)[ \t]*+)"
    r"(?P<value>[^\s,{\[|>][^\n]*)$"
)
# `name=value`, `"name": "value"`, `--name value` anywhere.
_INLINE = re.compile(
    r"(?P<head>(?<![\w.$-])(?:(?P<flag>--?)|[\"'`*\\]{0,4})(?P<name>[A-Za-z_][\w.-]{0,80}+)"
    r"(?:[\"'`*\\]{0,4}[ \t]{0,2}(?::=|=>|=|:(?!//))[*]{0,2}[ \t]*|(?(flag)[ ]+|(?!))))"
    r"(?P<value>\"(?:[^\"\\\n]|\\[^\n])*+\"?|\\\"(?:[^\"\\\n]|\\[^\"\n])*+(?:\\\")?|'[^'\n]*+'?|\[[^\]\n]*+\]?|[^\s,;&\"'{}\[\]]+)"
)
# The colon of `name:value`, without a space: not that of an address, nor of a time of day (`T12:30`, ` 12:30:00`). And that
# of a name whose value stands below it.
_GLUED = re.compile(
    r":(?:(?![ \n\r]|//)(?<=[\w\"'`*\\ \t]:)(?!(?<=[T :\n]\d\d:)\d\d)|(?<=[\"\s]:)\s|(?:[ \t]*+\r?\n)+(?=[ \t]|-[ \t]))"
)
# `"name": {` or `[` of JSON, and what matters for finding where that ends; and a text that stands on another line.
_OPENING = re.compile(
    r"\"(?P<name>[\w.-]{1,80})\"\s{0,9}:(?:\s{0,9}(?P<value>[{\[])|[ \t]{0,9}\r?\n\s{0,200}(?P<text>\"(?:[^\"\\\n]|\\.)*+\"?))"
)
# `"name": "API_KEY", "value": "…"`, as lists of settings have it, in JSON and in YAML.
_NAMED = re.compile(
    r"(?P<head>\b(?:name|key)[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\"']?(?P<name>[A-Za-z][\w.-]{0,60})[\"']?[\s,]{1,80}"
    r"[\"']?value[\"']?[ \t]{0,3}[:=][ \t]{0,3})(?P<value>\"(?:[^\"\\\n]|\\.)*+\"?|'[^'\n]*+'?|[^\s,}\]\"'{\[][^\n,}\]]*+)",
    re.IGNORECASE,
)
_BRACKET = re.compile(r"\"(?:[^\"\\]|\\.)*+\"?|(?P<open>[{\[])|(?P<close>[}\]])", re.DOTALL)
_LONG_QUOTES = ('"""', "'''")
# A name alone on its line, or before what goes on below it: YAML's blocks, TOML's long texts, brackets.
_OPENED = re.compile(
    r"(?P<head>(?P<indent>[ \t]*+)(?P<dash>-[ \t]+)?[\"']?(?P<name>[A-Za-z][\w.-]{0,60})[\"']?[ \t]*+(?P<sign>[:=])[ \t]*+)"
    r"(?P<value>[|>][-+0-9]*[ \t]*(?=\r?\n)|(?=\r?\n)|\"\"\"|'''|[\[{])"
)
# All that is deeper than the name, and items of a list that are not.
_BELOW = r"\r?\n(?P<value>(?:{indent}[ \t]+[^\n]*\n?|{item}[ \t]*\r?\n)+)"
# `"API key": "value"` within a line, and `"API key: value"`: inside of quotes a name may have several words.
_QUOTED = re.compile(
    r"(?P<head>\"(?P<name>[A-Za-z][\w.-]*+(?: [A-Za-z][\w.-]*+){1,4})(?:\"[ \t]{0,2}:[ \t]{0,2}|:[ \t]))"
    r"(?P<value>\"(?:[^\"\\\n]|\\[^\n])*+\"?|[^\s,}\]\"][^,}\]\"\n]*+)"
)


class SecretRules:
    """Decides what is masked.

    A name is split at signs and humps into words, and qualifiers at its end (`_old`, `_hash`, `2`) are dropped. It is
    secret if its last words are those of one of the given names, in the singular or plural: `api_key` stands for
    `OPENAI_API_KEY`, `apiKey`, `x-api-keys` and `api_key_old`; `token` for `githubToken`, and not for `max_tokens`,
    `token_count` or `tokenizer`.

    Args:
        names: The names; replaces the default ones.
        allowed: Names to leave alone although they look secret; compared as words too, and whole.
    """

    def __init__(self, names: Iterable[str] = SECRET_NAMES, allowed: Iterable[str] = ()) -> None:
        self._names = frozenset(filter(None, map(_words, names)))
        self._allowed = frozenset(map(_words, allowed))
        self._longest = max(map(len, self._names), default=0)
        # What any text with a secret name in it contains, in small letters.
        stems = {words[-1] for words in self._names}
        self._stems = tuple(sorted(stem for stem in stems if not any(other in stem for other in stems - {stem})))

    @classmethod
    def extended(cls, names: Iterable[str], allowed: Iterable[str]) -> SecretRules:
        """Returns the default rules with further names, and names to leave alone."""
        return cls((*SECRET_NAMES, *names), allowed)

    def is_secret_name(self, name: str) -> bool:
        """Whether values under this name are masked."""
        lowered = name.lower()
        if len(name) > 200 or not any(stem in lowered for stem in self._stems):
            return False
        words = _words(name)
        if not words or words in self._allowed:
            return False
        while len(words) > 1 and (words[-1] in _QUALIFIERS or words[-1].isdigit()):
            words = words[:-1]
        if words[-1].endswith(_GLUED_ENDINGS):
            return bool(self._names & {(ending,) for ending in _GLUED_ENDINGS})
        endings = [words[-count:] for count in range(1, min(self._longest, len(words)) + 1)]
        if any(ending in self._names for ending in endings):
            return True
        last = words[-1]
        if not last.endswith("s"):
            return False
        for ending in endings:
            singular = (*ending[:-1], last[:-1])
            if singular in self._names and not (len(singular) == 1 and last[:-1] in _COUNTED):
                return True
        return False

    def is_named_secret(self, members: Mapping[str, object]) -> bool:
        """Whether an object is a setting that names itself, `{"name": "API_KEY", "value": …}`, and its value is secret."""
        name = members.get("name", members.get("key"))
        return isinstance(name, str) and self.is_secret_name(name)

    def mask(self, text: str) -> str:
        """Returns a text with what looks secret in it masked; line breaks keep their number.

        Masking a masked text changes nothing.
        """
        if len(text) < _SHORTEST_KEY and not (":" in text or "=" in text or "--" in text or "earer " in text):
            return text  # a name or an id, mostly
        if has_shape(text, keylike_runs(text)):
            text = mask_shapes(text)
        return self.mask_assignments(text) if has_assignment(text) else text

    def mask_assignments(self, text: str) -> str:
        """Returns a text with everything masked that is secret by the name before it."""
        lines = self._lines_with_stems(text)
        if not lines:
            return text
        inside = self._mask_inside(text) if '"' in text else text
        if "value" in inside:
            inside = self._mask_values(_NAMED, inside)
        if inside is not text:
            text, lines = inside, self._lines_with_stems(inside)
        done, pieces = 0, list[str]()
        for start, end in lines:
            line = text[start:end]
            if start < done or not (":" in line or "=" in line or "--" in line):
                continue  # part of a block that is masked already, or just words
            masked, line_end = self._mask_below(text, start, end) or (self._mask_line(line), end)
            if masked != text[start:line_end]:
                pieces += text[done:start], masked
                done = line_end
        return "".join([*pieces, text[done:]]) if pieces else text

    def _mask_line(self, line: str) -> str:
        line = self._mask_values(_LINE, line)
        if '"' in line:
            line = self._mask_values(_QUOTED, line)
        return self._mask_values(_INLINE, line)

    def _mask_below(self, text: str, start: int, end: int) -> tuple[str, int] | None:
        """Returns a line masked with all below that belongs to its name, and where that ends; None if there is no such."""
        opened = _OPENED.match(text, start)
        if opened is None or opened.start("value") > end or not self.is_secret_name(opened["name"]):
            return None
        opening, at = opened["value"], opened.end()
        if opening in _LONG_QUOTES:
            closing = text.find(opening, at)
            done = len(text) if closing < 0 else closing + len(opening)
            lines = "\n" * text.count("\n", at, done)
            return f"{opened['head']}{opening}{MASK}{lines}{opening if closing >= 0 else ''}", done
        if opening in ("[", "{"):
            done = _closing(text, opened.start("value"))
            return f"{opened['head']}{MASK}" + "\n" * text.count("\n", at, done), done
        if opened["sign"] == "=":
            return None
        indent = re.escape(opened["indent"])
        item = f"{indent}-[ \t]+[^\n]*\n?|" if not (opened["dash"] or opening) else ""
        below = re.compile(_BELOW.format(indent=indent, item=item)).match(text, at)
        if below is None:
            return None
        before = text[start : below.start("value")]
        return f"{before}{opened['indent']}  {MASK}" + "\n" * below["value"].count("\n"), below.end()

    def _lines_with_stems(self, text: str) -> list[tuple[int, int]]:
        """Returns where the lines begin and end in which a secret name may occur."""
        lowered = text.lower()
        if len(lowered) != len(text):  # a few capitals become two letters
            lowered = "".join(letter.lower()[:1] for letter in text)
        found: dict[int, int] = {}
        for stem in self._stems:
            at = lowered.find(stem)
            while at >= 0:
                start = text.rfind("\n", 0, at) + 1
                end = text.find("\n", at)
                found[start] = end = len(text) if end < 0 else end
                at = lowered.find(stem, end)
        return sorted(found.items())

    def _mask_inside(self, text: str) -> str:
        """Returns a text with all of an object or list masked that stands under a secret name."""
        done, pieces = 0, list[str]()
        opening = _OPENING.search(text)
        while opening:
            at = opening.end()
            if self.is_secret_name(opening["name"]):
                start = max(opening.start("value"), opening.start("text"))
                at = opening.end() if opening["text"] else _closing(text, start)
                quote = '"' if opening["text"] else ""
                pieces += text[done:start], quote + MASK + quote, "\n" * text.count("\n", start, at)
                done = at
            opening = _OPENING.search(text, at)
        return "".join([*pieces, text[done:]]) if pieces else text

    def _mask_values(self, pattern: re.Pattern[str], text: str) -> str:
        done, pieces = 0, list[str]()
        match = pattern.search(text)
        while match:
            name, value = match["name"], match["value"]
            prose = " " in name and match["head"].rstrip().endswith("=")  # `as it said password=x, so`
            if value.startswith(MASK) or prose or not self._is_secret_in_text(name):
                at = match.start("value")  # a value may hold a name and a value again: `url=…?token=…`
            else:
                at = match.end()
                pieces += text[done : match.start("value")], _masked(match, value)
                done = at
            match = pattern.search(text, at)
        return "".join([*pieces, text[done:]]) if pieces else text

    def _is_secret_in_text(self, name: str) -> bool:
        """Whether a name in running text is secret; of several words, the last two must say so (`GitHub API key`)."""
        if " " not in name:
            return self.is_secret_name(name)
        words = _words(name)
        if not words:
            return False
        singular = (*words[:-1], words[-1].removesuffix("s"))
        return singular[-1] in _PLAIN_WORDS or any(
            candidate[-count:] in self._names
            for candidate in (words, singular)
            for count in range(2, min(self._longest, len(candidate)) + 1)
        )


def has_assignment(text: str) -> bool:
    """Whether there is a sign in a text as between a name and a value; False only if there is none."""
    return has_sign(text) or has_colon(text)


def has_sign(text: str) -> bool:
    """Whether there is such a sign other than a colon alone."""
    # Looking for one character costs next to nothing, for two some nanoseconds a character.
    return "=" in text or ("-" in text and "--" in text) or ('"' in text and '":' in text)


def has_colon(text: str) -> bool:
    """Whether there is a colon that may be such a sign."""
    return ":" in text and (": " in text or _GLUED.search(text) is not None)


def has_shape(text: str, keylike: Iterable[tuple[int, int]]) -> bool:
    """Whether there may be something in a text that is secret by its shape; False only if there is nothing.

    Args:
        keylike: What `scan` found in the text.
    """
    if ("@" in text and "://" in text) or "-----BEGIN" in text:
        return True
    if "earer " in text and ("Bearer " in text or "bearer " in text):  # mostly one look is enough
        return True
    return any(_KEY_STARTS.search(text, max(0, start - _LONGEST_START), end) for start, end in keylike)


def mask_shapes(text: str) -> str:
    """Returns a text with everything masked that is secret by its shape alone, wherever it stands."""
    for needle, pattern in _SHAPES:
        if needle in text:
            text = pattern.sub(_mask_shape, text)
    return text


def _closing(text: str, at: int) -> int:
    """Returns the place behind the bracket that closes the one at a place; the end of the text if none does."""
    depth = 0
    for bracket in _BRACKET.finditer(text, at):
        depth += bool(bracket["open"]) - bool(bracket["close"])
        if not depth:
            return bracket.end()
    return len(text)


def _masked(match: re.Match[str], value: str) -> str:
    quote = value[0] if value[0] in "\"'`" else ""
    return quote + MASK + quote


def _mask_shape(match: re.Match[str]) -> str:
    keep = match.groupdict().get("keep") or ""
    return keep + MASK + "\n" * match[0].count("\n")


def _words(name: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _WORD.findall(name))

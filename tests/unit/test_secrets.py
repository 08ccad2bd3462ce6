from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archive.extract.secrets import MASK, SecretRules, has_assignment, has_shape, mask_shapes
from archive.extract.words import keylike_runs

RULES = SecretRules()
HEX = "0123456789abcdefABCDEF"


@pytest.mark.parametrize(
    "name",
    [
        "api_key", "apiKey", "APIKEY", "OPENAI_API_KEY", "x-api-key", "api_keys", "api_key_old", "apiKey2", "token",
        "githubToken", "access_token", "access_tokens", "session-token", "password", "Password", "db.password", "PGPASSWORD",
        "passwords", "password_hash", "passwd", "secret", "secrets", "clientSecret", "AWS_SECRET_ACCESS_KEY", "private_key",
        "Authorization", "credentials", "Set-Cookie", "jwt", "passphrase",
    ],
)  # fmt: skip
def test_a_name_that_looks_secret_is_secret(name: str) -> None:
    assert RULES.is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "", "key", "keys", "max_tokens", "tokens", "token_count", "tokens_used", "total_tokens", "tokenizer", "secretary",
        "secret_name", "password_policy", "passwordless", "public_key", "primary_key", "author", "authentication",
        "key_insights", "api", "private", "cookies", "keyboard", "access", "a" * 1000 + "_token",
    ],
)  # fmt: skip
def test_a_name_that_only_resembles_one_is_not(name: str) -> None:
    assert not RULES.is_secret_name(name)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("API_KEY=abc def", "API_KEY=[masked]"),
        ('export TOKEN="abc"', 'export TOKEN="[masked]"'),
        ("password: correct horse", "password: [masked]"),
        ("password:x", "password:[masked]"),
        ("use password:hunter2 now", "use password:[masked] now"),
        ("it is password:/etc/secret here", "it is password:[masked] here"),
        ("**password:**x", "**password:**[masked]"),
        ("say token:\tabc", "say token:\t[masked]"),
        ("token12:30 at T12:30:00", "token12:[masked] at T12:30:00"),
        ("  password:   x  # why", "  password:   [masked]"),
        ("- **API key**: abc", "- **API key**: [masked]"),
        ("GitHub access token: abc", "GitHub access token: [masked]"),
        ("secret:\n  - abc\n  - def\nmore: x", "secret:\n  [masked]\n\nmore: x"),
        ("secret:\n- abc\n- def\nmore: x", "secret:\n  [masked]\n\nmore: x"),
        ("- secret:\n    abc\n- other: x", "- secret:\n  [masked]\n- other: x"),
        ("password:\n  abc\n", "password:\n  [masked]\n"),
        ("password: >-\r\n  abc\r\n", "password: >-\r\n  [masked]\n"),
        ('password = """\nabc\n"""\nmore = 1', 'password = """[masked]\n\n"""\nmore = 1'),
        ("password = '''abc", "password = '''[masked]"),
        ('api_keys = [\n  "abc",\n  "]d",\n]\nmore = 1', "api_keys = [masked]\n\n\n\nmore = 1"),
        ('{"a": 1, "password":\n   "abc", "b": 2', '{"a": 1, "password":\n   "[masked]", "b": 2'),
        ('[{"name": "API_KEY", "value": "abc"}', '[{"name": "API_KEY", "value": "[masked]"}'),
        ('{"key": "DB_PASSWORD",\n "value": abc}', '{"key": "DB_PASSWORD",\n "value": [masked]}'),
        ("- name: API_KEY\n  value: abc def\n- name: x\n", "- name: API_KEY\n  value: [masked]\n- name: x\n"),
        ('{"n": {"API key": "abc", "b": 2', '{"n": {"API key": "[masked]", "b": 2'),
        ('{"n": "API key: abc", "b": 2', '{"n": "API key: [masked]", "b": 2'),
        ("DB password: hunter2", "DB password: [masked]"),
        ('{"api_key": "x\\"y", "n": 1}', '{"api_key": "[masked]", "n": 1}'),
        ('{"passwords":["a","b"]}', '{"passwords":[masked]}'),
        (
            '{"tokens": {"a": "x"}, "secrets": {"a": {"b": "}"},\n"c": ["x"]}, "d": 1}',
            '{"tokens": {"a": "x"}, "secrets": [masked]\n, "d": 1}',
        ),
        ('{"token": {"a": "cut', '{"token": [masked]'),
        ("it said password=hunter2, then", "it said password=[masked], then"),
        ("GET /x?token=abc&y=1", "GET /x?token=[masked]&y=1"),
        ("url=https://x?token=abc", "url=https://x?token=[masked]"),
        ("run --password hunter2 --fast", "run --password [masked] --fast"),
        ("run --password=hunter2", "run --password=[masked]"),
        ("Authorization: Bearer abc.def", "Authorization: [masked]"),
        ("send Bearer abc.def", "send Bearer [masked]"),
        ("postgres://joe:s3cret@host/db", "postgres://joe:[masked]@host/db"),
        ("db:\n  password: |\n    one\n    two\n  user: joe", "db:\n  password: |\n    [masked]\n\n  user: joe"),
        ("a\n-----BEGIN RSA PRIVATE KEY-----\nx\n-----END RSA PRIVATE KEY-----\nb", "a\n[masked]\n\n\nb"),
        ("-----BEGIN PRIVATE KEY-----\nx\n", "[masked]\n\n"),
        ("the key ghp_" + "a1" * 18 + " works", "the key [masked] works"),
        ("sk-proj-" + "Ab1cd2Ef_-" * 5 + "0123456789abcdefGH", "[masked]"),
        ("AKIAIOSFODNN7EXAMPLE", "[masked]"),
        ("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0xyz.SflKxwRJ", "[masked]"),
    ],
)
def test_what_looks_secret_in_text_is_masked(text: str, masked: str) -> None:
    assert RULES.mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "max_tokens: 4096",
        '{"name": "size", "value": "4096"}',
        "max_tokens:\n  - 4096\n",
        "password:\nnext: 1\n",
        "The password:\n\nis in the safe\n",
        '"the monkey key: a"',
        "token_count=5",
        "The secretary: Ann",
        "use a Bearer token for it",
        "the bearer of news",
        "tokens are counted; password is asked for",
        "password=",
        "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----",
        "https://example.org/a@b",
        "password://",
        "at 12:30:00, T12:30, token at 12:30",
        "task-with-a-rather-long-name-and-2-numbers-1",
        "key: value",
    ],
)
def test_other_text_is_left_alone(text: str) -> None:
    assert RULES.mask(text) == text


PIECES = st.sampled_from(
    ["password", "api_key", "token", ":", "=", " ", "\n", "\t", "{", "/", "12", "T", "--",
     '"', "'", "|", "x", "İ", "Bearer ", "://", "@", "a:", MASK,
     "-----BEGIN PRIVATE KEY-----", "ghp_" + "a" * 30, "  ", "- ", "é", '"""', "[", "]", ":\n  ", "\n- ", "\r\n"]
)  # fmt: skip
TEXTS = st.one_of(st.lists(PIECES, max_size=14).map("".join), st.text())


@given(TEXTS)
def test_masking_keeps_the_number_of_lines(text: str) -> None:
    assert RULES.mask(text).count("\n") == text.count("\n")


@given(TEXTS)
@example("password:\r\n\n- ")
def test_what_is_found_harmless_has_nothing_to_mask(text: str) -> None:
    if not (has_assignment(text) or has_shape(text, keylike_runs(text))):
        assert RULES.mask_assignments(mask_shapes(text)) == text


@given(TEXTS)
def test_masking_a_masked_text_changes_nothing(text: str) -> None:
    masked = RULES.mask(text)
    assert RULES.mask(masked) == masked


@given(
    st.sampled_from(["password", "API_KEY", "client-secret", "githubToken"]),
    st.sampled_from(["{}={}", "{}: {}", '"{}": "{}"', "export {}={}", "- {}: {}", "--{} {}", "x {}={} y", "{} = {}"]),
    st.text(HEX, min_size=8, max_size=30),
    st.text(max_size=10),
    st.text(max_size=10),
)
def test_a_secret_is_gone_from_whatever_stands_around_it(name: str, form: str, secret: str, before: str, after: str) -> None:
    text = f"{before}\n{form.format(name, secret)}\n{after}"
    assert secret not in RULES.mask(text).removeprefix(before).removesuffix(after)


def test_names_can_be_chosen() -> None:
    rules = SecretRules(["pin", "blood_type"], allowed=["public_pin"])
    assert rules.is_secret_name("card_pin")
    assert rules.is_secret_name("bloodType")
    assert not rules.is_secret_name("public_pin")
    assert not rules.is_secret_name("password")
    assert rules.mask("pin: 1234") == "pin: [masked]"


def test_without_names_only_shapes_are_masked() -> None:
    rules = SecretRules([])
    assert rules.mask("password: x") == "password: x"
    assert rules.mask("Bearer abcdef") == "Bearer [masked]"


def test_long_texts_take_no_longer_than_their_length_explains() -> None:
    for text in ("password" * 100_000, "sk-" * 200_000, "eyJ." * 200_000, "a=" * 300_000, " token: x" * 50_000, "--" * 300_000):
        assert len(RULES.mask(text)) <= 2 * len(text)

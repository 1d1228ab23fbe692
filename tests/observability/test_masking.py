from __future__ import annotations

import base64
import json
import logging
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dativo_provider.observability import MASKER, Masker, MaskFilter
from tests.support import requirement


@requirement("PII-05")
@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("password: hunter2", "password: ***"),
        ("the password hunter2 was refused", "the password *** was refused"),
        ("postgresql://reader:hunter2@db/shop", "postgresql://reader:***@db/shop"),
        ('{"password": "hunter2"}', '{"password": "***"}'),
    ],
)
def test_the_value_goes_and_its_label_stays(text: str, masked: str) -> None:
    assert Masker(["hunter2"]).mask(text) == masked


@requirement("REG-06", "PII-05")
@pytest.mark.parametrize(
    ("secret", "text", "masked"),
    [
        ("abc", "abc is abcdef, dabc and (abc)", "*** is abcdef, dabc and (***)"),
        ("id", "tenant_id=4 id=5", "tenant_id=4 ***=5"),
        ("1", "10 rows in 1 file", "10 rows in *** file"),
        ("a$", "costs a$ or ba$ or a$b", "costs *** or ba$ or ***b"),
        ("ab", "code 'ab', url /ab/, mail x@ab", "code '***', url /***/, mail x@***"),
    ],
)
def test_a_short_secret_is_masked_as_a_word_and_longer_words_survive(secret: str, text: str, masked: str) -> None:
    assert Masker([secret]).mask(text) == masked


@requirement("PII-05")
@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("connect to mysql://root:p%40ss@h:3306/x now", "connect to mysql://root:***@h:3306/x now"),
        ("s3://key:a/b@c@host/x", "s3://key:***@host/x"),
        ("git clone https://ghp_abc@github.com/x", "git clone https://***@github.com/x"),
        ("host=db password=pa;ss user=u", "host=db password=***;ss user=u"),
        ("dsn: password='a b' host=db", "dsn: password=*** host=db"),
        ("GET /v1?api_key=sk_1&page=2", "GET /v1?api_key=***&page=2"),
        ("client_secret = abc, x=1", "client_secret = ***, x=1"),
        ('{"access_token": "t-1", "rows": 5}', '{"access_token": "***", "rows": 5}'),
        ("{'Password': 'a\\'b'}", "{'Password': \"***\"}"),
        ("Authorization: Bearer eyJhbGciOi1", "Authorization: Bearer ***"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA", "-----BEGIN RSA PRIVATE KEY-----***-----END RSA"),
    ],
)
def test_what_looks_like_a_credential_is_masked_unregistered(text: str, masked: str) -> None:
    assert Masker().mask(text) == masked


@requirement("REG-06")
@pytest.mark.parametrize(
    "text",
    [
        "password=${SECRET:PG} and token=${TOKEN}",
        "max_tokens=5 tokenizer=bpe secretary=jane",
        "https://example.com/a@b",
        "reader@host wrote to postgresql://reader@db/shop",
        "12:30:05 token refreshed: yes",
        "the basic idea, bearer of news",
        "orders.yaml:14: cursor_field 'updated' is not a column",
    ],
)
def test_harmless_text_survives(text: str) -> None:
    assert Masker().mask(text) == text


SECRETS = st.text(st.characters(blacklist_characters="*", blacklist_categories=("Cs", "Cc")), min_size=4, max_size=24)
AROUND = st.text(max_size=10)


@requirement("PII-05", "REG-06")
@given(secret=SECRETS, before=AROUND, after=AROUND, shape=st.integers(0, 6))
def test_no_encoding_of_a_registered_secret_survives(secret: str, before: str, after: str, shape: int) -> None:
    assume(len(secret.strip()) >= 4 and secret not in before + after)
    text = before + secret + after
    shown = [
        text, json.dumps(text), json.dumps(text, ensure_ascii=False), json.dumps({"x": json.dumps([text])}),
        repr([text]), quote(text), quote_plus(text),
    ][shape]  # fmt: skip
    encoded = [
        secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps(secret))[3:-3], repr(secret)[1:-1], quote(secret), quote_plus(secret),
    ][shape]  # fmt: skip
    masked = Masker([secret]).mask(shown)
    assert secret not in masked
    assert encoded not in masked


@requirement("PII-05")
@given(
    secret=st.text(st.characters(blacklist_characters="*", blacklist_categories=("Cs", "Cc")), min_size=12),
    before=AROUND,
    after=AROUND,
)
def test_base64_hides_no_secret_at_any_alignment(secret: str, before: str, after: str) -> None:
    assume(secret.strip())
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        code = encode((before + secret + after).encode()).decode()
        assert "***" in Masker([secret]).mask(code)


@requirement("PII-05")
def test_lines_of_a_key_file_are_secret_and_its_title_is_not() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nshort\n-----END KEY-----"
    masked = Masker([key]).mask("-----BEGIN KEY----- then MIIEvQIBADANBgkqhkiG9w0")
    assert masked == "-----BEGIN KEY----- then ***"


@pytest.mark.parametrize("nothing", ["", " ", "\n", "***", "*"])
def test_a_secret_of_nothing_masks_nothing(nothing: str) -> None:
    assert Masker([nothing]).mask("a * b *** c\n") == "a * b *** c\n"


def test_values_are_masked_at_any_depth_and_numbers_stay_numbers() -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError

    masker = Masker(["hunter2", "1234"])
    found = {"a": ["x hunter2", 5, None, True, 1234, 1.5], "hunter2": ("y",), "token": "t", "ref": "${SECRET:T}"}
    assert masker.value(found) == {
        "a": ["x ***", 5, None, True, "***", 1.5], "***": ["y"], "token": "***", "ref": "${SECRET:T}",
    }  # fmt: skip
    assert masker.value({"password": "${SECRET:T}", "secret": ""}) == {"password": "${SECRET:T}", "secret": ""}
    assert masker.value(Broken()) == "<Broken: RuntimeError>"


def test_listeners_hear_new_secrets() -> None:
    heard: list[str] = []
    masker = Masker(["before"])
    masker.tell(heard.append)
    masker.add("after")
    assert heard == ["after"]


@requirement("PII-05", "SEC-05")
def test_the_filter_masks_message_arguments_exception_and_extras() -> None:
    try:
        raise ValueError("cannot log in with hunter2")
    except ValueError as error:
        record = logging.LogRecord(
            "x", logging.ERROR, "f.py", 1, "failed: %s", ("hunter2",), (type(error), error, None)
        )
    record.url, record.facts = "db hunter2", {"rows": 5, "tried": ["hunter2"]}
    record.stack_info = "in hunter2"
    assert MaskFilter(Masker(["hunter2"])).filter(record)
    assert "hunter2" not in str(vars(record) | {"exc_info": ""})
    assert "hunter2" not in logging.Formatter().format(record)
    assert record.facts["rows"] == 5  # type: ignore[attr-defined]


def test_a_record_that_cannot_be_formatted_is_still_logged() -> None:
    record = logging.LogRecord("x", logging.INFO, "f.py", 1, "%d rows of hunter2", ("many",), None)
    MaskFilter(Masker(["hunter2"])).filter(record)
    assert record.getMessage() == "%d rows of ***"


def test_there_is_one_masker_per_process() -> None:
    assert MaskFilter().masker is MASKER


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "a.",
        "://a:",
        "password",
        "password=",
        "'token':",
        "pwd: '",
        "Bearer a",
        "-----BEGIN PRIVATE KEY-----",
        " ",
        "@",
        "a:b@",
    ],
)
def test_a_long_hostile_text_is_masked_in_linear_time(piece: str) -> None:
    masker = Masker(["hunter2", "ab"])
    started = time.process_time()
    masker.mask(piece * (200_000 // len(piece)))
    assert time.process_time() - started < 3

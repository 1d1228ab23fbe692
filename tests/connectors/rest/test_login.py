"""Logins under threads, several accounts and secrets that change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import sleep
from types import SimpleNamespace
from typing import Any

import pytest

from dativo_provider.connectors.base import RequestRetry
from dativo_provider.connectors.rest.reader import RestReader
from dativo_provider.errors import CredentialError, SourceUnavailable
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import SourceSpec
from dativo_provider.model.settings import Settings
from dativo_provider.observability import MASKER
from tests.connectors.rest.fake import Answer, Asked, FakeApi, serving
from tests.connectors.rest.reading import Kept
from tests.connectors.rest.test_client import CLIENT, REFRESH, TokenApi, reader
from tests.support import requirement


@pytest.fixture
def tokens() -> Iterator[TokenApi]:
    found = TokenApi()
    with serving(found):
        yield found


@requirement("ERR-01")
def test_readers_that_find_a_login_over_at_once_renew_it_once(tokens: TokenApi) -> None:
    """Two renewals would spend a refresh token that is good once."""
    ctx = RunContext(Settings(home=""))
    made = [reader(tokens, REFRESH, ctx, connection=CLIENT) for _ in range(6)]
    made[0].check()
    tokens.token, together = "revoked-meanwhile", Barrier(6)

    def check(each: RestReader) -> None:
        together.wait()
        each.check()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(check, made))
    assert tokens.given == 2


def test_a_login_whose_time_is_nearly_up_is_renewed_before_the_api_refuses_it(tokens: TokenApi) -> None:
    answer = tokens.answer

    def short(asked: Asked) -> Answer:
        found = answer(asked)
        return Answer(found.status, found.body | {"expires_in": "0.01"}) if asked.path == "/token" else found

    tokens.answer = short  # type: ignore[method-assign]
    made = reader(tokens, REFRESH, connection=CLIENT)
    made.check()
    sleep(0.02)
    made.check()
    assert tokens.given == 2
    assert [asked.headers["authorization"] for asked in tokens.asked] == ["Bearer access-1", "Bearer access-2"]


def test_cookies_of_one_account_are_not_sent_for_another(api: FakeApi) -> None:
    ctx = RunContext(Settings(home=""))
    api.faults.append(lambda asked: Answer(200, {"id": 1}, {"Set-Cookie": "session=of-the-first"}))
    for token in ("first", "second"):
        reader(api, ctx=ctx, connection={"token": token}).check()
    assert "cookie" not in api.asked[1].headers


@pytest.mark.parametrize("token", ["line-end\n", "schlüssel"])
def test_a_token_that_no_header_can_carry_is_a_mistake_in_the_secret(api: FakeApi, token: str) -> None:
    with pytest.raises(CredentialError, match="cannot be sent in the header Authorization") as caught:
        reader(api, connection={"token": token}).check()
    assert token.strip() not in str(caught.value)
    assert api.asked == []


@requirement("SEC-05")
def test_a_token_that_the_api_gave_is_masked_in_everything_this_process_writes(tokens: TokenApi) -> None:
    reader(tokens, REFRESH, connection=CLIENT).check()
    assert "access-1" not in MASKER.mask("GET /x Authorization: Bearer access-1")


class Rotating:
    """A secret store whose value changes while a reader is open."""

    def __init__(self, made: RestReader, **values: str) -> None:
        self.source, self.asked = made.source, 0
        self.values = dict(values)
        made.again = self

    def __call__(self) -> SourceSpec:
        self.asked += 1
        connection: Mapping[str, Any] = {**self.source.connection, **self.values}
        return SourceSpec("rest", connection, options=self.source.options)


@requirement("SEC-04")
def test_a_key_that_was_rotated_while_the_run_goes_on_is_read_again_once(api: FakeApi) -> None:
    made = reader(api)
    store = Rotating(made, token="new-key-77")
    made.check()
    api.token = "new-key-77"
    made.check()
    made.check()
    assert store.asked == 1
    assert [each.headers["authorization"][7:] for each in api.asked] == ["t0ps3cret", "t0ps3cret"] + ["new-key-77"] * 2


@requirement("SEC-04")
def test_a_key_that_is_refused_and_has_not_changed_is_an_error(api: FakeApi) -> None:
    made = reader(api)
    store = Rotating(made)
    api.token = "another"
    with pytest.raises(CredentialError, match="401"):
        made.check()
    assert (store.asked, len(api.asked)) == (1, 1)


@requirement("SEC-04")
def test_a_refresh_token_that_was_replaced_is_read_again(tokens: TokenApi) -> None:
    """Renewing fails, for the old refresh token is dead; the new one is in the secret store."""

    def only_new(asked: Asked) -> Answer | None:
        old = asked.path == "/token" and asked.body["refresh_token"] != ["r3fresh-2"] and tokens.given > 0
        return Answer(400, {"error": "invalid_grant"}) if old else None

    tokens.faults.append(only_new)
    answer = tokens.answer
    tokens.answer = lambda asked: only_new(asked) or answer(asked)  # type: ignore[method-assign]
    made = reader(tokens, REFRESH, connection=CLIENT)
    Rotating(made, refresh_token="r3fresh-2")
    made.check()
    tokens.token = "revoked-meanwhile"
    made.check()
    assert tokens.forms[-1].body["refresh_token"] == ["r3fresh-2"]


@requirement("SEC-04")
def test_a_login_whose_first_secret_is_already_dead_reads_it_again(tokens: TokenApi) -> None:
    """Another task has rotated the refresh token since this one read it."""
    answer = tokens.answer

    def refusing(asked: Asked) -> Answer:
        if asked.path == "/token" and asked.body["refresh_token"] == ["r3fresh"]:
            sleep(0.01)
            return Answer(400, {"error": "invalid_grant"})
        return answer(asked)

    tokens.answer = refusing  # type: ignore[method-assign]
    made = reader(tokens, REFRESH, connection=CLIENT)
    Rotating(made, refresh_token="r3fresh-2")
    made.check()
    assert tokens.given == 1


class Rotation(TokenApi):
    """Refresh tokens are good once, as Zendesk's are."""

    def __init__(self) -> None:
        super().__init__()
        self.refresh = "r3fresh"
        self.refused = 0

    def answer(self, asked: Asked) -> Answer:
        if asked.path != "/token":
            return super().answer(asked)
        if asked.body["refresh_token"] != [self.refresh]:
            self.refused += 1
            return Answer(400, {"error": "invalid_grant"})
        found = super().answer(asked)
        self.refresh = f"r3fresh-{self.given}"
        return Answer(found.status, found.body | {"refresh_token": self.refresh})


@pytest.fixture
def rotation() -> Iterator[Rotation]:
    found = Rotation()
    with serving(found):
        yield found


ROTATING = REFRESH | {"rotates": True}


def task(rotation: Rotation, kept: Kept, ctx: RunContext | None = None) -> RestReader:
    """Opened with what is kept now. Without `ctx` it is a process of its own."""
    made = reader(rotation, ROTATING, ctx, connection=CLIENT | kept)
    made.keep = kept
    made.again = lambda: SourceSpec("rest", {**made.source.connection, **kept}, options=made.source.options)
    return made


@requirement("SEC-04")
def test_a_refresh_token_that_is_good_once_is_written_back_before_it_is_used(rotation: Rotation) -> None:
    class Watched(Kept):
        def put(self, name: str, value: str) -> None:
            assert not any(asked.headers["authorization"] == f"Bearer {rotation.token}" for asked in rotation.asked)
            super().put(name, value)

    kept = Watched(refresh_token="r3fresh")
    made = reader(rotation, ROTATING, connection=CLIENT)
    made.keep = kept
    made.check()
    assert kept == {"refresh_token": rotation.refresh}
    rotation.asked.clear()
    following = reader(rotation, ROTATING, connection=CLIENT | kept)
    following.keep = kept
    following.check()
    rotation.token = "revoked-meanwhile"
    following.check()  # renewed in mid-run: with the newest, and the one after it is kept too
    assert rotation.given == 3
    assert kept == {"refresh_token": rotation.refresh}
    assert rotation.refresh not in MASKER.mask(f"refresh_token is {rotation.refresh}")


@requirement("SEC-04")
def test_a_refresh_token_that_could_not_be_kept_is_not_spent(rotation: Rotation) -> None:
    with pytest.raises(
        CredentialError, match="gives a new 'refresh_token' with each login, and it cannot be kept"
    ) as caught:
        reader(rotation, ROTATING, connection=CLIENT).check()
    assert "${SECRET:NAME.refresh_token}" in caught.value.remedy
    assert rotation.given == 0


@requirement("SEC-04")
def test_a_refresh_token_that_is_replaced_unasked_is_told_of_when_it_cannot_be_kept(
    rotation: Rotation, caplog: pytest.LogCaptureFixture
) -> None:
    made = reader(rotation, REFRESH, connection=CLIENT)
    made.check()
    assert "the next run cannot log in" in caplog.text
    rotation.token = "revoked-meanwhile"
    made.check()  # this run goes on with the new one
    assert rotation.given == 2


@requirement("SEC-04")
def test_tasks_that_log_in_at_once_with_a_token_that_is_good_once_all_get_in(rotation: Rotation) -> None:
    """Each task is a process of its own; who comes second reads what the first wrote, and writes nothing older."""
    kept = Kept(refresh_token="r3fresh")
    for each in [task(rotation, kept) for _ in range(3)]:
        each.check()
        assert kept == {"refresh_token": rotation.refresh}
        rotation.token = "for-the-next-task"
    assert (rotation.given, rotation.refused) == (3, 0)


@requirement("SEC-04")
@pytest.mark.parametrize("moment", ["before it proves", "before it reads", "after it read"])
def test_a_token_that_is_spent_is_never_written_over_the_one_it_brought(rotation: Rotation, moment: str) -> None:
    """Another process logs in while this one is about to: what the API gave it must not be lost."""
    kept = Kept(refresh_token="r3fresh")
    made, twin, turns = task(rotation, kept), task(rotation, kept), iter([1])
    prove, again = kept.prove, made.again
    assert again

    def meanwhile(now: str) -> None:
        if now == moment and next(turns, None):
            twin.check()

    def proving(name: str) -> None:
        meanwhile("before it proves")
        prove(name)

    def reading() -> SourceSpec:
        meanwhile("before it reads")
        found = again()
        meanwhile("after it read")
        return found

    made.keep, made.again = SimpleNamespace(put=kept.put, prove=proving), reading
    made.check()
    assert rotation.given == 2
    assert kept["refresh_token"] == rotation.refresh == "r3fresh-2"
    assert kept.written == sorted(kept.written)


@requirement("SEC-04")
def test_readers_that_know_a_token_of_before_and_of_after_renew_their_logins_in_turn(rotation: Rotation) -> None:
    """Both at once would spend the same token, or write a spent one over the next."""

    class Slow(Kept):
        def put(self, name: str, value: str) -> None:
            sleep(0.05)
            super().put(name, value)

    ctx, kept, together = RunContext(Settings(home="")), Slow(refresh_token="r3fresh"), Barrier(2)

    def opened() -> RestReader:
        found = task(rotation, kept, ctx)
        found.check()
        return found

    def renew(each: RestReader) -> None:
        client = each._client()
        old = client._login.held()
        together.wait()
        assert client._login.renewed(old) is not old

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(renew, [opened(), opened()]))
    assert rotation.refused == 0
    assert rotation.given == 4
    assert kept == {"refresh_token": rotation.refresh}


@pytest.mark.parametrize("body", [b"<html>we are down for maintenance</html>", b'{"access_tok', [1]])
def test_a_token_endpoint_that_gives_no_token_object_is_down_and_the_credentials_may_be_good(
    tokens: TokenApi, body: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = tokens.answer
    tokens.answer = lambda asked: Answer(200, body) if asked.path == "/token" else answer(asked)  # type: ignore[method-assign]
    monkeypatch.setattr("dativo_provider.connectors.rest.reader.RestReader.retry", RequestRetry(attempts=1))
    with pytest.raises(SourceUnavailable, match="without a JSON object"):
        reader(tokens, REFRESH, connection=CLIENT).check()

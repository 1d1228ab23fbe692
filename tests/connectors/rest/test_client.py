"""One conversation: logins, what answers mean, and that no secret is shown."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from dativo_provider.connectors.rest.answers import asked_wait
from dativo_provider.connectors.rest.client import Call
from dativo_provider.connectors.rest.limits import limits_of, rate_limits
from dativo_provider.connectors.rest.reader import RestReader
from dativo_provider.connectors.rest.spec import Api
from dativo_provider.errors import (
    Cancelled,
    ConfigurationError,
    CredentialError,
    DativoError,
    RateLimited,
    SourceChanged,
    SourceUnavailable,
)
from dativo_provider.model.context import Connection, RunContext
from dativo_provider.model.job import ContractSpec, SourceSpec, StreamSpec
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Slice
from tests.connectors.rest.fake import Answer, Asked, FakeApi, serving
from tests.connectors.rest.toy import SPEC, text
from tests.support import requirement

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SINGLE = StreamSpec("single", "single", "t", ContractSpec("events"))


def reader(api: FakeApi, auth: Any = None, ctx: RunContext | None = None, **parts: Any) -> RestReader:
    spec = SPEC if auth is None else SPEC | {"auth": auth}
    connection = {"base_url": api.url} | parts.pop("connection", {"token": api.token})
    options, limits = {"spec": text(spec | parts.pop("spec", {}))}, {"retry": {"max_retries": 0}}
    source = SourceSpec("rest", connection, options=options, rate_limits=limits, **parts)
    return RestReader(source, ctx or RunContext(Settings(home="")))


def answering(api: FakeApi, answer: Answer) -> None:
    api.faults.append(lambda asked: answer)


@pytest.mark.parametrize(
    ("answer", "expected", "says"),
    [
        (Answer(401, {"message": "no"}), CredentialError, "401: no"),
        (Answer(403, {"error": {"message": "scope"}}), CredentialError, "403: scope"),
        (Answer(404, {"errors": [{"detail": "no such thing"}]}), SourceChanged, "404: no such thing"),
        (Answer(410, b""), SourceChanged, "410"),
        (Answer(400, {"title": "bad filter"}), ConfigurationError, "400: bad filter"),
        (Answer(422, {"error": "limit"}), ConfigurationError, "422: limit"),
        (Answer(400, [{"message": "malformed query", "errorCode": "X"}]), ConfigurationError, "400: malformed query"),
        (Answer(429, {}), RateLimited, "429"),
        (Answer(500, b"<html>"), SourceUnavailable, "500"),
        (Answer(503, {}), SourceUnavailable, "503"),
        (Answer(408, {}), SourceUnavailable, "408"),
        (Answer(200, b"<!DOCTYPE html><html></html>"), SourceUnavailable, "an HTML page, not JSON"),
        (Answer(200, b'{"a": [1, 2'), SourceUnavailable, "JSON that is cut off"),
        (Answer(200, b""), SourceUnavailable, "not JSON"),
        (Answer(200, {"id": 1}, cut=True), SourceUnavailable, "could not be asked"),
    ],
)
@requirement("ERR-01")
def test_an_answer_is_an_error_of_its_kind(
    api: FakeApi, answer: Answer, expected: type[DativoError], says: str
) -> None:
    answering(api, answer)
    with pytest.raises(expected, match=says) as caught:
        reader(api).check()
    assert caught.value.remedy
    assert "/me" in caught.value.where
    assert type(caught.value) is not DativoError


@requirement("ERR-01")
def test_a_rule_of_the_spec_says_what_an_answer_means(api: FakeApi) -> None:
    """A quota that is used up is often told with 200 or 403."""
    rules = [
        {"status": 200, "where": {"error.code": "QUOTA*"}, "means": "quota", "remedy": "buy more"},
        {"status": "4xx", "header": {"x-limit": "*"}, "means": "rate_limited"},
    ]
    answering(api, Answer(200, {"error": {"code": "QUOTA_DAY"}}))
    with pytest.raises(RateLimited) as caught:
        reader(api, spec={"errors": rules}).check()
    assert caught.value.remedy == "buy more"
    api.faults.clear()
    answering(api, Answer(403, {}, {"X-Limit": "burst"}))
    with pytest.raises(RateLimited):
        reader(api, spec={"errors": rules}).check()


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "Sun, 01 Mar 2026 12:00:30 GMT"}, 30),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, 0),
        ({"retry-after": "NaN"}, None),
        ({"x-ratelimit-reset": str(int(NOW.timestamp()) + 90)}, 90),
        ({"ratelimit-reset": "12"}, 12),
        ({"x-ratelimit-reset": "2026-03-01T12:00:45Z"}, 45),
        ({"retry-after": "3", "x-ratelimit-reset": "60"}, 3),
        ({"x-ms-ratelimit-microsoft.costmanagement-qpu-retry-after": "40", "retry-after": "4"}, 40),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "1e400"}, None),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, None),
        ({"x-ratelimit-reset": str(int(NOW.timestamp() + 90) * 1000)}, 90),
        ({"x-ratelimit-reset": str(int(NOW.timestamp()) + 3000), "x-ratelimit-remaining": "4711"}, None),
        ({"x-ratelimit-reset": str(int(NOW.timestamp()) + 3000), "x-ratelimit-remaining": "0"}, 3000),
        ({"ratelimit": "limit=100, remaining=0, reset=50"}, 50),
        ({"ratelimit": '"burst";r=0;t=5, "day";r=812;t=8000'}, 5),
        ({"ratelimit": '"burst";r=9;t=5, "day";r=0;t=8000'}, 8000),
        ({"ratelimit": '"day";r=8;t=8000'}, None),
        ({"zendesk-ratelimit-tickets-index": "total=100; remaining=0; resets=41"}, 41),
        ({"ratelimit-policy": '"day";q=100;w=86400'}, None),
        ({}, None),
    ],
)
@requirement("ERR-05")
def test_the_wait_is_what_the_answer_asks_for(headers: dict[str, str], seconds: float | None) -> None:
    assert asked_wait(headers, NOW) == seconds


@requirement("ERR-01", "ERR-05")
def test_an_error_of_the_server_is_not_waited_for_until_the_quota_starts_anew(api: FakeApi) -> None:
    """GitHub sends its reset with every answer, a 502 as well."""
    headers = {"X-RateLimit-Reset": str(int(datetime.now(UTC).timestamp()) + 3000)}
    answering(api, Answer(502, b"", headers))
    with pytest.raises(SourceUnavailable) as caught:
        reader(api).check()
    assert caught.value.retry_after is None


@requirement("ERR-05")
def test_a_wait_that_is_longer_than_the_budget_is_left_to_the_run(api: FakeApi) -> None:
    spec = {"limits": {"default": {"requests": 100, "per": 1}}}
    answering(api, Answer(429, {}, {"Retry-After": "3600"}))
    made = reader(api, spec=spec)
    for _ in range(2):
        with pytest.raises(RateLimited) as caught:
            made.check()
        assert caught.value.retry_after == pytest.approx(3600, abs=60)
    assert len(api.asked) == 1  # the second was not even sent


@requirement("ERR-02")
def test_waits_have_full_jitter_and_are_never_shorter_than_asked() -> None:
    retry = rate_limits({}).requests_retry()
    for attempt, longest in ((1, 0.5), (3, 2.0), (12, 30.0)):
        waits = [retry.delay(attempt, None) for _ in range(400)]
        assert 0 <= min(waits) < 0.1 * longest
        assert 0.9 * longest < max(waits) <= longest
    assert min(retry.delay(1, 7.0) for _ in range(100)) >= 7


@pytest.mark.parametrize(("rps", "requests", "per"), [(10, 10, 1), (1.5, 3, 2), (0.1, 1, 10), (2.0, 2, 1)])
@requirement("ERR-05")
def test_so_many_requests_a_second_are_not_sent_as_a_burst_for_a_minute(rps: float, requests: int, per: int) -> None:
    limit = limits_of(Api.model_validate(SPEC), rate_limits({"rps_default": rps}))["default"]
    assert (limit.requests, limit.per) == (requests, per)


@pytest.mark.parametrize(
    ("vendor", "job", "kept"),
    [
        ((100, "1d"), {"rps_default": 10}, {"default": (10, 1), "vendor": (100, 86_400)}),
        ((5_000, "1h"), {"requests": 300, "per": "1m"}, {"default": (300, 60), "vendor": (5_000, 3_600)}),
        ((100, 10), {"requests": 20_000, "per": "1d"}, {"default": (20_000, 86_400), "vendor": (100, 10)}),
        ((100_000, "1d"), {"requests": 20_000, "per": "1d"}, {"default": (20_000, 86_400)}),
        ((200, "1m"), {"requests": 20, "per": 1}, {"default": (20, 1)}),
        ((100, "1d"), {}, {"default": (100, 86_400)}),
    ],
)
@requirement("ERR-05")
def test_a_pace_that_a_job_sets_leaves_the_days_limit_in_place(
    vendor: tuple[int, Any], job: dict[str, Any], kept: dict[str, tuple[int, int]]
) -> None:
    given = Api.model_validate(SPEC | {"limits": {"default": {"requests": vendor[0], "per": vendor[1]}}})
    found = {name: (each.requests, each.per) for name, each in limits_of(given, rate_limits(job)).items()}
    assert found == kept


def test_both_limits_are_kept_by_every_request(api: FakeApi) -> None:
    spec = SPEC | {"limits": {"default": {"requests": 5_000, "per": "1h"}}}
    source = SourceSpec("rest", {"base_url": api.url, "token": api.token}, options={"spec": text(spec)},
                        rate_limits={"rps_default": 10})  # fmt: skip
    made = RestReader(source, RunContext(Settings(home="")))
    assert len(made._client()._paces(())) == 2


@pytest.mark.parametrize(
    "answer",
    [
        Answer(403, {"message": "no"}, {"X-Accepted-OAuth-Scopes": "repo"}),
        Answer(403, {}, {"WWW-Authenticate": 'Bearer error="insufficient_scope", scope="repo"'}),
        Answer(403, {"errors": [{"context": {"requiredGranularScopes": ["repo"]}}]}),
        Answer(403, {"ok": False, "needed": "repo"}),
    ],
)
@requirement("ERR-01")
def test_credentials_that_are_not_allowed_enough_are_told_what_they_miss(api: FakeApi, answer: Answer) -> None:
    answering(api, answer)
    with pytest.raises(CredentialError) as caught:
        reader(api).check()
    assert caught.value.remedy == "allow the credentials: repo"


def test_garbage_that_is_nested_without_end_is_no_bug_of_ours(api: FakeApi) -> None:
    answering(api, Answer(200, b"[" * 100_000))
    with pytest.raises(SourceUnavailable, match="JSON that is cut off"):
        reader(api).check()


# logins --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("auth", "connection", "header", "value"),
    [
        ({"type": "bearer", "token": "{k}"}, {"k": "s3cret-key"}, "authorization", "Bearer s3cret-key"),
        ({"type": "bearer", "scheme": "Token"}, {"api_key": "s3cret-key"}, "authorization", "Token s3cret-key"),
        ({"type": "api_key", "header": "X-Key"}, {"api_key": "s3cret-key"}, "x-key", "s3cret-key"),
        ({"type": "basic", "username": "{u}/token", "password": "{p}"}, {"u": "ann@acme", "p": "s3cret-key"},
         "authorization", "Basic " + b64encode(b"ann@acme/token:s3cret-key").decode()),
    ],
)  # fmt: skip
def test_a_key_is_shown_where_the_api_reads_it(
    api: FakeApi, auth: Any, connection: dict[str, str], header: str, value: str
) -> None:
    answering(api, Answer(403, {"message": f"no {value}"}))
    with pytest.raises(CredentialError) as caught:
        reader(api, auth, connection=connection).check()
    assert api.asked[0].headers[header] == value
    assert "s3cret-key" not in str(caught.value)
    assert b64encode(b"ann@acme/token:s3cret-key").decode() not in str(caught.value)


def test_settings_that_the_spec_calls_secret_are_shown_nowhere(api: FakeApi) -> None:
    answering(api, Answer(400, {"message": "pepper-55 is wrong"}))
    spec = {"settings": {"salt": {"secret": True}}, "headers": {"X-Salt": "{salt}"}}
    with pytest.raises(ConfigurationError, match="400") as caught:
        reader(api, spec=spec, connection={"token": api.token, "salt": "pepper-55"}).check()
    assert "pepper-55" not in str(caught.value)


def test_a_key_in_the_query_is_in_no_error(api: FakeApi) -> None:
    answering(api, Answer(500, {}))
    with pytest.raises(SourceUnavailable) as caught:
        reader(api, {"type": "api_key", "param": "key"}, connection={"api_key": "s3cret-key"}).check()
    assert "s3cret-key" not in str(caught.value)


def test_the_first_login_whose_credentials_are_there_is_taken(api: FakeApi) -> None:
    ways = [{"type": "api_key", "header": "X-Key"}, {"type": "bearer", "token": "{token}"}]
    reader(api, ways).check()
    with pytest.raises(CredentialError, match="no credentials") as caught:
        reader(api, ways, connection={}).check()
    assert caught.value.remedy == "set in source.connection, as ${SECRET:NAME}: api_key, or token"


def test_an_address_without_a_scheme_is_not_asked_again(api: FakeApi) -> None:
    with pytest.raises(ConfigurationError, match="this is no address") as caught:
        reader(api, {"type": "none"}, connection={"base_url": "api.example.com"}).check()
    assert "https://" in caught.value.remedy


class TokenApi(FakeApi):
    """Gives a new access token for each login and knows only the newest."""

    def __init__(self) -> None:
        super().__init__()
        self.given = 0
        self.forms: list[Asked] = []

    def answer(self, asked: Asked) -> Answer:
        if asked.path.startswith("/token"):
            self.forms.append(asked)
            self.given += 1
            self.token = f"access-{self.given}"
            return Answer(body={"access_token": self.token, "expires_in": 3600, "instance": "eu7"})
        return super().answer(asked)


@pytest.fixture
def tokens() -> Iterator[TokenApi]:
    found = TokenApi()
    with serving(found):
        yield found


REFRESH = {"type": "oauth2_refresh", "token_url": "{base_url}/token"}
CLIENT = {"client_id": "me", "client_secret": "cl1ent-s3cret", "refresh_token": "r3fresh"}


@requirement("CON-02", "ERR-01")
def test_an_access_token_that_expires_is_renewed_once(tokens: TokenApi) -> None:
    made = reader(tokens, REFRESH, connection=CLIENT)
    made.check()
    tokens.token = "revoked-meanwhile"
    made.check()
    assert tokens.given == 2
    form = tokens.forms[0].body
    assert form == {"grant_type": ["refresh_token"], "refresh_token": ["r3fresh"], "client_id": ["me"],
                    "client_secret": ["cl1ent-s3cret"]}  # fmt: skip


def test_a_spec_may_put_its_own_address_before_the_token_endpoint(tokens: TokenApi) -> None:
    made = reader(tokens, REFRESH, spec={"base_url": tokens.url}, connection=CLIENT | {"base_url": ""})
    made.check()
    assert tokens.given == 1


def test_a_job_may_name_a_token_endpoint_of_its_own(tokens: TokenApi) -> None:
    spec_says = REFRESH | {"token_url": "http://127.0.0.1:1/token"}
    reader(tokens, spec_says, connection=CLIENT | {"token_url": f"{tokens.url}/token"}).check()
    assert tokens.given == 1


def test_a_token_that_is_refused_when_new_is_an_error_of_the_credentials(tokens: TokenApi) -> None:
    tokens.faults.append(lambda asked: Answer(401, {"message": "disabled"}))
    with pytest.raises(CredentialError, match="disabled"):
        reader(tokens, REFRESH, connection=CLIENT).check()
    assert tokens.given == 2


def test_readers_of_one_process_log_in_once(tokens: TokenApi) -> None:
    ctx = RunContext(Settings(home=""))
    for _ in range(3):
        reader(tokens, REFRESH, ctx, connection=CLIENT).check()
    assert tokens.given == 1
    reader(tokens, REFRESH, ctx, connection=CLIENT | {"refresh_token": "another"}).check()
    assert tokens.given == 2


def test_a_refused_login_says_why_and_shows_nothing(api: FakeApi) -> None:
    answering(api, Answer(400, {"error": "invalid_grant", "error_description": "r3fresh is revoked"}))
    with pytest.raises(CredentialError, match="refused the login") as caught:
        reader(api, REFRESH, connection=CLIENT).check()
    assert "r3fresh" not in str(caught.value)


def test_a_client_logs_in_with_its_own_secret_in_a_header_where_the_api_wants_it(tokens: TokenApi) -> None:
    auth = {"type": "oauth2_client_credentials", "token_url": "{base_url}/token", "basic": True,
            "fields": {"scope": "read"}}  # fmt: skip
    reader(tokens, auth, connection={"client_id": "me", "client_secret": "s"}).check()
    assert tokens.forms[0].body == {"grant_type": ["client_credentials"], "scope": ["read"]}
    assert tokens.forms[0].headers["authorization"] == "Basic " + b64encode(b"me:s").decode()


def a_key() -> tuple[rsa.RSAPublicKey, str]:
    """A public key, and the private one in PEM."""
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return key.public_key(), pem.decode()


def test_a_service_account_signs_what_it_asks(tokens: TokenApi) -> None:
    import jwt

    public, pem = a_key()
    auth = {"type": "jwt_bearer", "token_url": "{base_url}/token", "claims": {"scope": "drive.readonly"}}
    reader(tokens, auth, connection={"client_email": "bot@acme.iam", "private_key": pem.replace("\n", "\\n")}).check()
    said = jwt.decode(tokens.forms[0].body["assertion"][0], public, ["RS256"], audience=f"{tokens.url}/token")
    assert (said["iss"], said["scope"], said["exp"] - said["iat"]) == ("bot@acme.iam", "drive.readonly", 3600)
    with pytest.raises(CredentialError, match="cannot sign"):
        reader(tokens, auth, connection={"client_email": "bot@acme.iam", "private_key": "rubbish"}).check()


@requirement("CON-16")
def test_an_app_shows_its_jwt_as_a_bearer_and_gets_the_token_of_an_installation(tokens: TokenApi) -> None:
    import jwt

    public, pem = a_key()
    auth = {"type": "jwt_exchange", "token_url": "{base_url}/token/{installation}", "issuer": "{app}",
            "lifetime": 540, "backdate": 60, "answer": "access_token"}  # fmt: skip
    given = {"app": "Iv1.a", "private_key": pem, "installation": "17"}
    reader(tokens, auth, connection=given).check()
    shown = tokens.forms[0]
    assert (shown.path, shown.body) == ("/token/17", None)
    said = jwt.decode(shown.headers["authorization"].removeprefix("Bearer "), public, ["RS256"])
    assert sorted(said) == ["exp", "iat", "iss"]
    assert (said["iss"], said["exp"] - said["iat"]) == ("Iv1.a", 600)
    with pytest.raises(CredentialError, match="without 'token'"):
        reader(tokens, auth | {"answer": "token"}, connection=given).check()


# settings ------------------------------------------------------------------------------------------------------

NEEDY = {"settings": {"account": {"description": "the number at the top of the page"}},
         "base_url": "{base_url}"}  # fmt: skip


def test_a_setting_that_is_missing_is_named_with_what_it_is(api: FakeApi) -> None:
    with pytest.raises(ConfigurationError, match="needs 'account': the number at the top of the page"):
        reader(api, spec=NEEDY).check()


def test_a_setting_that_is_misspelt_is_answered_with_the_nearest(api: FakeApi) -> None:
    with pytest.raises(ConfigurationError) as caught:
        reader(api, spec=NEEDY, connection={"token": "x", "acount": "1"}).check()
    assert "'account'" in caught.value.remedy


class Connections:
    def __init__(self, found: Connection) -> None:
        self.found = found

    def get(self, connection_id: str) -> Connection:
        return self.found


def test_an_airflow_connection_gives_the_address_and_the_token(api: FakeApi) -> None:
    found = Connection("http", host=api.url, password=api.token)
    ctx = RunContext(Settings(home=""), connections=Connections(found))
    source = SourceSpec("rest", connection_id="acme_toy", options={"spec": text(SPEC)})
    RestReader(source, ctx).check()
    assert api.asked[-1].path == "/me"


# the end of an API ---------------------------------------------------------------------------------------------


def test_the_announced_end_of_an_api_is_told_once(api: FakeApi, caplog: pytest.LogCaptureFixture) -> None:
    answering(api, Answer(200, {"id": 1, "items": []}, {"Sunset": "Sat, 31 Oct 2026 23:59:59 GMT"}))
    made = reader(api)
    for _ in range(3):
        made.check()
    assert caplog.text.count("the vendor ends this part of its API") == 1
    list(made.read(SINGLE, Slice(0, "single")))
    assert [note for note in made.result().detail["notes"] if "/single" in note and "31 Oct 2026" in note]


def test_a_request_that_is_not_answered_ends_when_the_run_is_cancelled(api: FakeApi) -> None:
    ctx, asked, over = RunContext(Settings(home="")), Event(), Event()

    def silent(_asked: Asked) -> None:
        asked.set()
        over.wait(20)

    api.faults.append(silent)
    made = reader(api, ctx=ctx)

    def cancel() -> None:
        asked.wait(20)
        ctx.cancel()

    Thread(target=cancel, daemon=True).start()
    started = monotonic()
    with pytest.raises(Cancelled):
        next(made.read(SINGLE, Slice(0, "single")), None)
    over.set()
    assert monotonic() - started < 5


def test_a_run_that_is_cancelled_does_not_wait_for_its_turn(api: FakeApi) -> None:
    spec = {"limits": {"default": {"requests": 1, "per": "1h"}}}
    ctx = RunContext(Settings(home=""))
    made = reader(api, ctx=ctx, spec=spec)
    made.check()
    ctx.cancelled.set()
    started = datetime.now(UTC)
    with pytest.raises(DativoError, match="cancelled"):
        made.check()
    assert datetime.now(UTC) - started < timedelta(seconds=5)


@requirement("ERR-02")
def test_an_answer_that_does_not_begin_in_the_specs_time_is_no_answer(api: FakeApi) -> None:
    def slow(asked: Asked) -> Answer | None:
        sleep(1.5)
        return None

    api.faults.append(slow)
    with pytest.raises(SourceUnavailable, match="ReadTimeout"):
        reader(api, spec={"timeout": 1}).check()


def test_a_query_of_the_address_stays_beside_parameters(api: FakeApi) -> None:
    answering(api, Answer(200, {"id": 1}))
    client = reader(api)._client()
    client.send(Call("/things?kind=open", "GET", {"limit": 5}, None, {}))
    assert api.asked[-1].query == {"kind": "open", "limit": "5"}


def test_an_address_that_leads_to_itself_is_no_empty_file(api: FakeApi) -> None:
    api.faults.append(lambda asked: Answer(302, b"", {"Location": f"{api.url}/loop"}))
    with pytest.raises(SourceUnavailable, match="redirects more than"):
        reader(api)._client().stream(Call("/loop")).__enter__()

"""Every way of paging gives every record once, whatever happens on the way."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from dativo_provider.errors import ConfigurationError, CredentialError, SourceChanged, SourceUnavailable
from dativo_provider.model.stream import Slice
from tests.connectors.rest.fake import Answer, Asked, FakeApi, serving
from tests.connectors.rest.reading import START, add, ids, one, reader, stream_of
from tests.connectors.rest.toy import SPEC, STYLES
from tests.support import requirement


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("count", [0, 1, 100, 101, 350])
def test_every_record_comes_once(api: FakeApi, style: str, count: int) -> None:
    add(api, count)
    assert sorted(ids(reader(api), style)) == list(range(1, count + 1))


@pytest.mark.parametrize("style", STYLES)
@requirement("ERR-02", "PRF-01")
def test_faults_between_pages_lose_and_double_nothing(api: FakeApi, style: str) -> None:
    """Every third request fails in another way."""
    faults = [
        Answer(500, {"message": "oops"}),
        Answer(429, {}, {"Retry-After": "0"}),
        Answer(200, b"<html>please log in</html>"),
        Answer(200, b'{"items": [{"id": 1'),
        Answer(200, {"items": [{"id": 1}]}, cut=True),
        Answer(503, b""),
    ]
    numbers = iter(range(10_000))
    api.faults.append(lambda asked: random.choice(faults) if next(numbers) % 3 == 1 else None)
    add(api, 730)
    assert sorted(ids(reader(api, budget_seconds=60), style)) == list(range(1, 731))


@pytest.mark.parametrize("style", [style for style in STYLES if style != "graphql"])
def test_a_window_holds_what_changed_in_it_and_nothing_else(api: FakeApi, style: str) -> None:
    """Some of these APIs keep to no bound, or to seconds: what they give too much is left out."""
    add(api, 300, every=timedelta(milliseconds=500))
    found = ids(reader(api), style, START + timedelta(seconds=50), START + timedelta(seconds=100))
    assert sorted(found) == list(range(101, 201))


def test_an_edge_second_is_read_once_although_pages_share_it(api: FakeApi) -> None:
    add(api, 250, every=timedelta(milliseconds=35))  # 28 records in each second, some on either side of a page's end
    assert sorted(ids(reader(api), "time")) == list(range(1, 251))


def test_a_second_with_more_records_than_a_page_holds_is_told(api: FakeApi) -> None:
    add(api, 250, every=timedelta(milliseconds=1))
    with pytest.raises(SourceChanged, match="more than 100 records have the moment"):
        ids(reader(api), "time")


def test_a_moment_pages_on_while_the_answer_names_a_next_page(api: FakeApi) -> None:
    """However many records the API thinks a page has."""
    add(api, 250)
    for each in api.rows:
        each["updated_at"] = (START + timedelta(seconds=each["id"])).isoformat()
    api.page = 60
    stream = SPEC["streams"]["time"] | {"paginate": STYLES["time"] | {"size": 1000, "end": "end"}}
    assert ids(reader(api, SPEC | {"streams": {"time": stream}}), "time") == list(range(1, 251))
    api.faults.append(lambda asked: Answer(body=_told_as_next(api, asked)))
    named = SPEC["streams"]["time"] | {"paginate": STYLES["time"] | {"size": 1000, "end": "", "more": "next_page"}}
    assert ids(reader(api, SPEC | {"streams": {"time": named}}), "time") == list(range(1, 251))


def _told_as_next(api: FakeApi, asked: Asked) -> dict[str, Any]:
    found = dict(api._time(asked).body)
    return found | {"next_page": None if found.pop("end") else "https://elsewhere.example/"}


def test_the_request_carries_the_window_the_version_and_the_token(api: FakeApi) -> None:
    ids(reader(api), "cursor", START, START + timedelta(hours=1))
    asked = api.asked[-1]
    assert asked.query == {"since": "2026-03-01T12:00:00.000000Z", "until": "2026-03-01T13:00:00.000000Z"}
    assert asked.headers["toy-version"] == "2026-11-01"
    assert asked.headers["authorization"] == f"Bearer {api.token}"


# pages that lead astray ----------------------------------------------------------------------------------------


def test_pages_that_go_round_in_a_circle_end_with_an_error(api: FakeApi) -> None:
    add(api, 300)
    api.faults.append(
        lambda asked: Answer(body={"items": [], "meta": {"has_more": True, "next": "7"}})
        if asked.query.get("cursor") else None
    )  # fmt: skip
    with pytest.raises(SourceUnavailable, match="circle"):
        ids(reader(api, max_retries=0), "cursor")


def test_one_page_that_comes_again_with_ever_new_tokens_ends_with_an_error(api: FakeApi) -> None:
    add(api, 10)
    numbers = iter(range(10_000))
    api.faults.append(
        lambda asked: Answer(body={"items": api.rows, "meta": {"has_more": True, "next": str(next(numbers))}})
    )
    with pytest.raises(SourceUnavailable, match="the same page 4 times"):
        ids(reader(api), "cursor")


@pytest.mark.parametrize("style", ["next", "link"])
@requirement("SEC-05")
def test_a_next_page_on_another_host_is_not_asked_for(api: FakeApi, style: str) -> None:
    """The token would go there too."""
    add(api, 300)
    stranger = FakeApi()
    with serving(stranger):
        away = f"{stranger.url}/{style}?page=2"
        body: Any = [] if style == "link" else {"items": [], "next": away}
        api.faults.append(lambda asked: Answer(body=body, headers={"Link": f'<{away}>; rel="next"'}))
        with pytest.raises(ConfigurationError, match="a page was asked for from"):
            ids(reader(api), style)
        assert stranger.asked == []


def test_a_redirection_to_another_host_is_not_followed(api: FakeApi) -> None:
    stranger = FakeApi()
    with serving(stranger):
        api.faults.append(lambda asked: Answer(302, b"", {"Location": f"{stranger.url}/single"}))
        with pytest.raises(ConfigurationError, match="a page was asked for from"):
            ids(reader(api), "single")
        assert stranger.asked == []


def test_empty_pages_on_the_way_are_passed(api: FakeApi) -> None:
    """Some APIs look through much to find little."""

    def filtered(asked: Asked) -> Answer:
        number = int(asked.query.get("cursor", 0))
        rows = [{"id": number, "updated_at": "2026-03-01T12:00:00Z"}] if number % 40 == 0 else []
        return Answer(body={"items": rows, "meta": {"has_more": number < 80, "next": str(number + 1)}})

    api.faults.append(filtered)
    assert ids(reader(api), "cursor") == [0, 40, 80]


def test_pages_of_large_records_leave_before_they_fill_the_memory(api: FakeApi) -> None:
    add(api, 800)
    for each in api.rows:
        each["name"] = "x" * 50_000
    batches = list(reader(api).read(stream_of("cursor"), Slice(0, "cursor")))
    assert sum(each.data.num_rows for each in batches) == 800
    assert max(each.data.nbytes for each in batches) < 16 << 20


# answers that would lose rows silently -------------------------------------------------------------------------


@requirement("ERR-01", "ING-20")
@pytest.mark.parametrize(
    ("style", "body", "says"),
    [
        ("cursor", {"rows": [], "meta": {}}, "has no 'items'"),
        ("cursor", {"error": "try later"}, r"has no 'items', where its records stand \(it says: try later\)"),
        ("graphql", {"data": None, "errors": [{"message": "no such field"}]}, "it says: no such field"),
        ("cursor", {"items": [{"id": 1}], "meta": {"has_more": True, "next": None}}, "nothing at 'meta.next'"),
        ("after", {"items": [], "has_more": True}, "nothing at 'id'"),
        (
            "graphql",
            {"data": {"items": {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": None}}}},
            "nothing at 'data.items.pageInfo.endCursor'",
        ),
    ],
)
def test_an_answer_without_what_it_must_have_is_no_empty_page(
    api: FakeApi, style: str, body: dict[str, Any], says: str
) -> None:
    add(api, 3)
    api.faults.append(lambda asked: Answer(body=body))
    with pytest.raises(SourceChanged, match=says):
        ids(reader(api), style)


def test_errors_beside_the_data_of_a_query_are_told(api: FakeApi) -> None:
    info = {"nodes": [{"id": 1}], "pageInfo": {"hasNextPage": False}}
    body = {"data": {"items": info}, "errors": [{"message": "timed out"}]}
    api.faults.append(lambda asked: Answer(body=body))
    with pytest.raises(ConfigurationError, match="refused: timed out"):
        ids(reader(api), "graphql")


def test_an_empty_list_may_be_left_out_where_the_spec_says_so(api: FakeApi) -> None:
    api.faults.append(lambda asked: Answer(body={"kind": "list"}))
    assert ids(reader(api, one(optional=True)), "single") == []


@pytest.mark.parametrize(("short_page", "count", "asked"), [("goes_on", 350, 5), ("ends", 199, 2)])
def test_a_short_page_is_the_last_only_where_the_spec_says_so(
    api: FakeApi, short_page: str, count: int, asked: int
) -> None:
    """The API counts 100 for a page, and then leaves out what it does not show: row 150 is missing on the second."""
    add(api, 351)

    def hidden(page: Asked) -> Answer:
        number = int(page.query["page"])
        rows = api.rows[(number - 1) * 100 : number * 100]
        return Answer(body={"items": [row for row in rows if row["id"] != 150]})

    api.faults.append(hidden)
    paging = {"type": "page", "param": "page", "size": 100, "short_page": short_page}
    spec = one(paginate=paging)
    assert len(ids(reader(api, spec), "single")) == count
    assert len(api.asked) == asked


@pytest.mark.parametrize("rows", [200])
@pytest.mark.parametrize(("style", "first", "width"), [("page", 1, 100), ("offset", 0, 1)])
def test_a_page_behind_the_last_may_be_missing(api: FakeApi, style: str, first: int, width: int, rows: int) -> None:
    """As of Django REST framework, which answers 404 for it."""
    add(api, rows)

    def answered(asked: Asked) -> Answer:
        at = (int(asked.query[style]) - first) * width
        return (
            Answer(body={"items": api.rows[at : at + 100]}) if at < rows else Answer(404, {"detail": "Invalid page."})
        )

    api.faults.append(answered)
    paging = {"type": style, "param": style, "size": 100}
    assert len(ids(reader(api, one(paginate=paging | {"behind_last": "missing"})), "single")) == rows
    with pytest.raises(SourceChanged) as caught:  # a gateway may say so of any page
        ids(reader(api, one(paginate=paging)), "single")
    assert "`behind_last: missing`" in caught.value.remedy


def test_a_page_that_is_missing_before_the_end_that_the_api_counts_is_no_end(api: FakeApi) -> None:
    add(api, 350)
    api.faults.append(lambda asked: Answer(404, {}) if asked.query["offset"] == "200" else None)
    with pytest.raises(SourceChanged):
        ids(reader(api), "offset")


def test_an_empty_page_before_the_end_is_no_end(api: FakeApi) -> None:
    """A ceiling on offsets shows like this."""
    add(api, 350)
    api.faults.append(
        lambda asked: Answer(body={"items": [], "total": 350}) if asked.query["offset"] == "200" else None
    )
    with pytest.raises(SourceUnavailable, match="an empty page came before all"):
        ids(reader(api), "offset")


@pytest.mark.parametrize("style", ["cursor", "offset", "page", "next", "search", "time"])
def test_an_answer_that_means_empty_is_a_page_without_records(api: FakeApi, style: str) -> None:
    add(api, 250)
    rule = {"status": 409, "where": {"message": "* is empty"}, "means": "empty"}
    assert ids(reader(api, SPEC | {"errors": [rule]}), style)[:1]
    api.faults.append(lambda asked: Answer(409, {"message": "this one is empty"}, {"Link": "</x>; rel=next"}))
    assert ids(reader(api, SPEC | {"errors": [rule]}), style) == []


@requirement("ERR-01")
def test_a_right_that_is_missing_is_named_by_the_spec(api: FakeApi) -> None:
    api.faults.append(lambda asked: Answer(403, {"message": "no"}))
    spec = SPEC | {"streams": {"single": SPEC["streams"]["single"] | {"permission": "rows:read"}}}
    with pytest.raises(CredentialError) as caught:
        ids(reader(api, spec), "single")
    assert caught.value.remedy.endswith("; it takes rows:read")

"""What every spec of this package tells of its columns."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from dativo_provider.connectors.rest.load import api_of, names
from dativo_provider.connectors.rest.spec import Column
from tests.support import requirement

# Names that tell of a person wherever they stand.
_PERSONAL = re.compile(
    r"[._](e?mail|email_address|first_?name|last_?name|login|phone|fax|mobile|street|city|zip|"
    r"postal_code|birth_?date|ip|ip_address|avatar|photo|signature|body|message|subject|comments?|notes?)$"
    r"|(Name|Phone|Fax|Email|Street|City|PostalCode|Latitude|Longitude|Birthdate)$"
)
_HOLDS = ("string", "double", "date")
# Those that tell of none: a thing, or a text that is written to be published.
_NOBODY = {
    "intercom.articles.body": "published",
    "stripe.charges.failure_message": "of a payment method",
    "zendesk.articles.body": "published",
    "salesforce.Opportunity.Name": "of a sale",
    "salesforce.Opportunity.StageName": "of a stage",
    "salesforce.Opportunity.ForecastCategoryName": "of a category",
    "salesforce.Campaign.Name": "of a campaign",
}


def columns(name: str) -> Iterator[tuple[str, Column]]:
    """Of all streams, documents included, by `api.stream.column`."""
    for stream, spec in api_of(name).streams.items():
        for known in (spec.columns, spec.document):
            yield from ((f"{name}.{stream}.{column}", each) for column, each in known.items())


@pytest.mark.parametrize("name", names())
@requirement("CON-29")
def test_every_column_says_what_it_is(name: str) -> None:
    assert [column for column, each in columns(name) if not each.description] == []


@pytest.mark.parametrize("name", names())
@requirement("PII-03")
def test_a_column_whose_name_tells_of_a_person_is_marked(name: str) -> None:
    found = {column for column, each in columns(name) if each.type in _HOLDS and _PERSONAL.search(column)}
    marked = {column for column, each in columns(name) if each.classification}
    assert sorted(found - marked - _NOBODY.keys()) == []


def test_what_tells_of_nobody_is_still_there() -> None:
    assert _NOBODY.keys() <= {column for name in names() for column, _ in columns(name)}

"""A REST API as one YAML: what can be read of it, how its pages are asked for, and what it may be asked.

The field descriptions are the reference a spec's author reads; docs/connectors/writing-a-spec.md is made from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from dativo_provider.config.shapes.base import Interval, Mapped, Names, Shape, Wrong, schema_key, text_or
from dativo_provider.connectors.rest.auth import AnyAuth, Nobody
from dativo_provider.connectors.rest.moments import Written
from dativo_provider.connectors.rest.paginate import AnyPaginator, Single

__all__ = [
    "Api",
    "Column",
    "ErrorRule",
    "Incremental",
    "Limit",
    "Listing",
    "Request",
    "Setting",
    "Stream",
    "UserFields",
    "Wait",
]

# What an answer means for who asked.
Meaning = Literal[
    "rate_limited", "quota", "transient", "expired", "credential", "forbidden", "missing", "moved", "empty", "wrong"
]
# How the values of a column stand in JSON; the last four are made of what stands there.
Form = Literal["plain", "epoch", "epoch_ms", "json", "markdown", "text_length", "base64"]


class Setting(Shape):
    """Something of `source.connection` that the spec refers to as `{name}`."""

    description: str = Field(default="", description="What it is and where a user finds it.")
    default: str | int | None = Field(default=None, description="Used when the job does not set it.")
    secret: bool = Field(default=False, description="Never shown; give it as `${SECRET:NAME}`.")
    optional: bool = Field(default=False, description="Whether the API can do without it.")


class Limit(Shape):
    """So many requests in so much time, for all streams that name it."""

    requests: int = Field(ge=1, description="Requests.")
    per: Interval = Field(description="Seconds, or `1m`, `1h`, `1d`. A day's limit is a quota that tasks share.")
    docs: str = Field(default="", description="Page of the vendor that says so.")
    note: str = Field(default="", description="Whom the number is for, or how it was come by.")


class Wait(Shape):
    """When an answer says that it may be asked again, other than by `Retry-After` or `X-RateLimit-Reset`."""

    header: str = Field(default="", description="Header that says it.")
    path: str = Field(default="", description="Instead: its dotted path in the body.")
    form: Literal["seconds", "milliseconds", "epoch", "epoch_ms", "iso", "http"] = Field(
        default="seconds", description="A span until then, or the moment."
    )
    otherwise: Interval | None = Field(default=None, description="How long to wait when the answer does not say.")


def _otherwise(value: Any) -> Any:
    return {"otherwise": value} if isinstance(value, int | str) else value


class ErrorRule(Shape):
    """What an answer means, where that is not what its status says. The first rule that fits counts."""

    status: Annotated[list[int | Literal["2xx", "4xx", "5xx"]], BeforeValidator(
        lambda value: value if isinstance(value, list) else [value]
    )] = Field(default=[], description="Statuses it is about; default: every one.")  # fmt: skip
    where: dict[str, Any] = Field(default={}, description="Values at dotted paths of the body; `*` is any value.")
    header: dict[str, str | list[str]] = Field(default={}, description="Values of headers; `*` is any value.")
    means: Meaning = Field(
        description="`wrong`: the request itself. `empty`: there are no records, and no more pages. `moved`: the "
        "record that a page was asked after is gone."
    )
    wait: Annotated[Wait, BeforeValidator(_otherwise, json_schema_input_type=int | str | Wait)] | None = Field(
        default=None, description="How long to wait; a span of time: when the answer does not say."
    )
    remedy: str = Field(default="", description="What a user can do about it.")


class Request(Shape):
    """What is asked for. Text may hold `{name}` of settings, `{lo}` and `{hi}` of the window, `{parent.name}`,
    and `{columns}`, the names in the API of the columns that are read."""

    path: str = Field(default="", description="Path below `base_url`, or a whole address on the same host.")
    method: Literal["GET", "POST"] = Field(default="GET", description="Method.")
    params: Mapped = Field(default={}, description="Query parameters; one whose value is not set is left out.")
    body: Mapped = Field(default={}, description="JSON body; an entry whose value is not set is left out.")
    headers: dict[str, str] = Field(default={}, description="More headers.")
    repeat: dict[str, list[Any]] = Field(
        default={}, description="Parameters whose values the list is read once for, one after the other."
    )


class Column(Shape):
    """A column and where it stands in a record."""

    type: str = Field(default="string", description="Type of the column, in Iceberg's words.")
    path: str = Field(default="", description="Dotted path in the record; default: the column's name.")
    form: Form = Field(
        default="plain",
        description="How the value stands there. `json` keeps it as JSON text, `markdown` keeps HTML as Markdown, "
        "`text_length` how many characters of HTML a reader sees. `base64` makes bytes, or text in a `string`.",
    )
    description: str = Field(default="", description="What it is.")
    classification: str = Field(default="", description="`pii` for personal data; contracts and masks read it.")
    required: bool = Field(default=False, description="Whether every record has it.")


class Token(Shape):
    """A position that only the API understands: each run starts where the one before ended."""

    path: str = Field(min_length=1, description="Dotted path of the position in the last answer.")
    param: str = Field(default="", description="Query parameter that takes it.")


class Listing(Shape):
    """Where records are listed."""

    request: Annotated[Request, BeforeValidator(text_or("path"), json_schema_input_type=str | Request)] = Field(
        default_factory=Request, description="What is asked for; a text is the path of a GET."
    )
    records: str = Field(default="", description="Dotted path of the records in an answer; empty: the answer itself.")
    optional: bool = Field(default=False, description="Whether an answer without that path has no records.")
    each: str = Field(default="", description="Dotted path of the record in each of those; empty: itself.")
    most: int = Field(
        default=0, ge=0, description="Records the API shows of a list, without pages: so many are told of."
    )
    paginate: AnyPaginator | None = Field(default=None, description="How pages follow; default: the API's.")
    rows: str = Field(
        default="", description="Dotted path of a list in a record: its items are the rows, the record is their `item`."
    )
    only: dict[str, Any] = Field(default={}, description="Values at paths of a row; what has others is left out.")
    deleted: dict[str, Any] = Field(
        default={}, description="Values at paths of what `records` lists that say: the record is gone. `text*` fits."
    )
    limit: str = Field(default="", description="Name of its own limit, beside the API's. `changes`: else the stream's.")
    expect: dict[str, Any] = Field(
        default={}, description="Values at paths of what `records` lists that the columns rely on; others are told."
    )


class Gone(Listing):
    """Where the API lists what is gone. It is read after the changes; what is listed there is deleted by its key."""

    key: dict[str, str] = Field(default={}, description="Paths of the key's columns, where they stand elsewhere there.")
    moment: str = Field(default="", description="Path in what is listed of when it went; others are left out.")
    format: Written = Field(default="iso", description="How the API writes that moment.")


class Incremental(Shape):
    """How later runs ask for what is new."""

    cursor: str = Field(default="", description="Column with the moment of a record's last change.")
    moment: str = Field(default="", description="Instead of a column: its path in what `changes` lists.")
    token: Token | None = Field(default=None, description="Instead of a moment: the API's own position.")
    by_parent: bool = Field(default=False, description="Instead: read again for each parent that changed.")
    format: Written = Field(
        default="iso",
        description="How the API writes that moment in records; of a column with such a `form` it is known.",
    )
    precision: Literal["microsecond", "millisecond", "second", "day"] = Field(
        default="second", description="What the API rounds moments to; a window ends on such a step."
    )
    changes: Listing | None = Field(default=None, description="Where later runs look, instead of the stream's list.")
    gone: Gone | None = Field(default=None, description="Where later runs learn what is gone.")
    after: bool = Field(default=False, description="Whether the API leaves out what changed at `{lo}` itself.")
    bounded: bool = Field(default=False, description="Whether the API keeps to `{hi}` as well, so that tasks share.")
    descending: bool = Field(default=False, description="Newest first and no bound: reading ends below the window.")
    latest: bool = Field(default=False, description="A key may come several times, newest first: the first counts.")
    lag: Interval | None = Field(
        default=None, description="How long a change takes to be found: a window ends that long ago."
    )
    kept: Interval | None = Field(default=None, description="How long the API keeps changes; older state reads all.")

    resumes: bool = Field(
        default=False,
        description="Whether what was read before a quota ended is published, and the next run goes on from there. "
        "Only where records come in the order of their change, or where the position on a page leads to the next one.",
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Incremental:
        if sum(map(bool, (self.cursor, self.moment, self.token, self.by_parent))) != 1:
            raise Wrong(
                "needs one of `cursor`, `moment`, `token` and `by_parent`", "name what says that a record changed"
            )
        if self.bounded and self.latest:
            raise Wrong("cannot be shared by tasks where only the newest change counts", "remove `bounded` or `latest`")
        if self.gone and (self.token or self.by_parent):
            raise Wrong("has `gone` without a moment that says since when", "name the column or path of the moment")
        if self.resumes and (self.moment or self.by_parent or self.descending or self.latest or self.gone):
            raise Wrong(
                "cannot be gone on with: `resumes` goes with a `cursor` or `token`, and without `descending`, `latest` "
                "and `gone`", "remove `resumes`",
            )  # fmt: skip
        if self.moment and self.changes is None:
            raise Wrong("has a `moment` of no `changes`", "say where changes are listed, or name a column as `cursor`")
        return self


class Parent(Shape):
    """The stream whose records this one is asked for by."""

    stream: str = Field(min_length=1, description="Name of that stream.")
    values: dict[str, str] = Field(min_length=1, description="Paths in its records, as `{parent.name}`.")
    where: dict[str, Any] = Field(default={}, description="Values at paths of its records; others have nothing here.")
    batch: int = Field(
        default=0, ge=0, le=10_000,
        description="Ask for so many at once: `{parents}` lists them, `{parent.name}` their values of that name.",
    )  # fmt: skip
    rest: dict[str, str] = Field(
        default={}, description="With `batch`: paths in a record of what is asked again when it has more rows."
    )
    missing: Literal["skip", "fail"] = Field(
        default="skip", description="When the API no longer knows a parent: go on, or fail."
    )


class UserFields(Shape):
    """Where the API tells which fields users have added to a record: they become columns."""

    request: Annotated[Request, BeforeValidator(text_or("path"), json_schema_input_type=str | Request)] = Field(
        description="What is asked for; a text is the path of a GET."
    )
    records: str = Field(default="", description="Dotted path of the fields in an answer.")
    paginate: AnyPaginator = Field(default=Single(), description="How pages follow.")
    name: str = Field(default="name", description="Path of a field's name.")
    type: str = Field(default="type", description="Path of the vendor's word for its type.")
    label: str = Field(default="", description="Path of what it is for people.")
    types: dict[str, str] = Field(default={}, description="Iceberg's type for each word of the vendor; else `string`.")
    skip: list[dict[str, Any]] = Field(default=[], description="Values at paths that say: not this one. One must fit.")
    personal: list[dict[str, Any]] = Field(
        default=[], description="Values at paths that say: personal data. One must fit."
    )
    under: str = Field(default="", description="Dotted path of what holds the fields in a record, if not the record.")


Columns = dict[str, Annotated[Column, BeforeValidator(text_or("type"), json_schema_input_type=str | Column)]]
_DOCUMENT = ("doc_id", "title", "raw_md")
_FORMS: dict[str, Written] = {"epoch": "epoch", "epoch_ms": "epoch_ms"}


class Stream(Listing):
    """One kind of record."""

    description: str = Field(default="", description="What a record is.")
    docs: str = Field(default="", description="Page of the vendor about it.")
    key: Names = Field(default=[], description="Columns that identify a record.")
    columns: Columns = Field(min_length=1, description="Columns in order; a text is the type.")
    document: Columns = Field(
        default={},
        description="Columns instead, where the job stores a document for each record (`storage_pattern: "
        "document_level`): `doc_id`, `title`, `raw_md` and what else says when and whose it is.",
    )
    incremental: Incremental | None = Field(default=None, description="How later runs ask for what is new.")
    parent: Parent | None = Field(default=None, description="The stream it is asked for by.")
    fields: UserFields | None = Field(default=None, description="Where users' own fields are told.")
    ignore: Names = Field(default=[], description="Fields of a record that need no column; `text*` and `*text` fit.")
    permission: str = Field(default="", description="What the credentials must be allowed to.")

    def listings(self) -> Iterator[Listing]:
        """Its own, and those that later runs look at."""
        yield self
        if self.incremental:
            yield from filter(None, (self.incremental.changes, self.incremental.gone))

    @model_validator(mode="after")
    def _known_columns(self) -> Stream:
        named = [*self.key, *([self.incremental.cursor] if self.incremental and self.incremental.cursor else [])]
        unknown = [each for each in named if each not in self.columns]
        if unknown:
            raise Wrong(f"'{unknown[0]}' is no column", "name one of `columns`")
        missing = [each for each in (*_DOCUMENT, *named[len(self.key) :]) if each not in self.document]
        if self.document and missing:
            raise Wrong(f"`document` has no '{missing[0]}'", "add the column")
        return self

    @property
    def cursor_format(self) -> Written:
        """How records write the cursor: as `incremental` says, else as its column does."""
        told = self.incremental
        column = self.columns.get(told.cursor) if told else None
        if told is None or column is None or "format" in told.model_fields_set or column.form not in _FORMS:
            return told.format if told else "iso"
        return _FORMS[column.form]

    @model_validator(mode="after")
    def _one_format(self) -> Stream:
        column = self.columns.get(self.incremental.cursor) if self.incremental else None
        told = _FORMS.get(column.form) if column else None
        if told and self.cursor_format != told:
            raise Wrong(
                f"`incremental.format` says {self.cursor_format}, and the cursor's column {told}",
                "leave `format` out: it is as the column's `form` says",
            )
        return self

    def as_documents(self) -> Stream:
        """One row for each document, known by its `doc_id`; what is not in it is left out on purpose."""
        return self.model_copy(
            update={"columns": self.document, "key": [_DOCUMENT[0]], "ignore": ["*"], "fields": None}
        )


class Api(Shape):
    """The spec of one API."""

    schema_: str = schema_key()
    api: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="Name of the connector, as jobs say it.")
    title: str = Field(default="", description="The vendor's own name.")
    description: str = Field(default="", description="For people.")
    docs: str = Field(default="", description="The vendor's reference.")
    version: str = Field(default="", description="Version of the API the spec was written for; `{version}`.")
    base_url: str = Field(min_length=1, description="Where paths begin; `source.connection.base_url` replaces it.")
    settings: dict[str, Setting] = Field(default={}, description="What the spec needs of `source.connection`.")
    headers: dict[str, str] = Field(default={}, description="Headers of every request.")
    params: Mapped = Field(default={}, description="Query parameters of every request to a path.")
    auth: Annotated[list[AnyAuth], BeforeValidator(lambda value: value if isinstance(value, list) else [value])] = (
        Field(default=[Nobody()], description="Ways to log in; the first whose credentials are there is taken.")
    )
    paginate: AnyPaginator = Field(default=Single(), description="How pages follow, unless a stream says otherwise.")
    limits: dict[str, Limit] = Field(default={}, description="What the API allows; `default` is for every request.")
    timeout: Interval = Field(default=120, description="How long an answer may take to begin, or to go on.")
    ignore: Names = Field(default=[], description="Fields of every record that need no column.")
    blank_is_null: bool = Field(default=False, description="Whether an empty text of a record says: no value.")
    errors: list[ErrorRule] = Field(default=[], description="What answers mean beside their status.")
    check: Annotated[Request, BeforeValidator(text_or("path"), json_schema_input_type=str | Request)] | None = Field(
        default=None, description="A cheap request that shows whether the credentials work."
    )
    notes: list[str] = Field(default=[], description="What users should know before they rely on it.")
    streams: dict[str, Stream] = Field(min_length=1, description="What can be read, by the name jobs use.")

    @model_validator(mode="after")
    def _known_names(self) -> Api:
        for name, stream in self.streams.items():
            if stream.parent and stream.parent.stream not in self.streams:
                raise Wrong(f"stream '{name}' has an unknown parent '{stream.parent.stream}'", "name one of `streams`")
        for name, stream in self.streams.items():
            if name in self.above(name):
                raise Wrong(f"stream '{name}' is its own parent", "let one of them have no `parent`")
            if stream.incremental and stream.incremental.by_parent and not self.increment(stream):
                raise Wrong(f"stream '{name}' follows a parent that has no `incremental`", "say how the parent changes")
            increment = stream.incremental
            lists = (stream, increment.changes) if increment and increment.descending else ()
            if any(each and each.request.repeat for each in lists):
                raise Wrong(f"stream '{name}' cannot end early for all its repetitions", "remove `descending`")
            lists = (stream, increment.changes) if increment and increment.resumes else ()
            if any(each and (stream.parent or each.request.repeat) for each in lists):
                raise Wrong(f"stream '{name}' is read by several lists, of which none has an order", "remove `resumes`")
            if stream.parent and stream.incremental and stream.incremental.descending:
                raise Wrong(f"stream '{name}' cannot end early for all its parents", "remove `descending`")
            for listing in stream.listings():
                if listing.limit and listing.limit not in self.limits:
                    raise Wrong(f"stream '{name}' has an unknown limit '{listing.limit}'", "name one of `limits`")
        return self

    def above(self, name: str) -> list[str]:
        """The streams that `name` is asked for by, the nearest first; a circle ends where it closes."""
        found: list[str] = []
        while (parent := self.streams[name].parent) and parent.stream not in found:
            name = parent.stream
            found.append(name)
        return found

    def increment(self, stream: Stream) -> Incremental | None:
        """What says that records of `stream` changed: of its own, or of the stream it is asked for by."""
        found = stream.incremental
        if found is None or not found.by_parent:
            return found
        return self.increment(self.streams[stream.parent.stream]) if stream.parent else None

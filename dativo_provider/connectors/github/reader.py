"""A repository as a source: lists by the spec, files by the trees of Git."""

from __future__ import annotations

from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from dativo_provider.connectors.base import Tally
from dativo_provider.connectors.github.trees import Choice, Diff, Entry, entries, root, told_apart
from dativo_provider.connectors.rest.ahead import in_order
from dativo_provider.connectors.rest.answers import Missing
from dativo_provider.connectors.rest.batches import Batches
from dativo_provider.connectors.rest.client import Call
from dativo_provider.connectors.rest.page import Page
from dativo_provider.connectors.rest.reader import RestReader
from dativo_provider.connectors.rest.spec import Stream as Spec
from dativo_provider.connectors.rest.streams import spec_of
from dativo_provider.connectors.rest.values import address, filled
from dativo_provider.errors import SourceChanged
from dativo_provider.model.batch import Batch
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.stream import Cursor, Slice

__all__ = ["GitHubReader"]

_FULL = 4 << 20  # bytes of text that make a batch
_LOOKED_AT = 8_000  # bytes that Git looks for a NUL in


class GitHubReader(RestReader):
    """The position of `file_contents` is the tree that was read: Git tells what differs from it, and what is gone."""

    def batches(self, stream: StreamSpec, piece: Slice, tally: Tally) -> Generator[Batch, None, None]:
        own = _OWN.get(spec_of(self.api, stream)[0])
        yield from own(self, stream, piece, tally) if own else super().batches(stream, piece, tally)

    def _files(self, stream: StreamSpec, piece: Slice, tally: Tally) -> Iterator[Batch]:
        _, spec = spec_of(self.api, stream)
        gathered = self._gathered(stream, spec, piece)
        _, found = root(partial(self._tree, spec), self._value("tree"))
        for entry in found:
            yield from gathered.take(Page("", None, (entry,)))
        yield from gathered.rest()
        self._tell(stream, gathered, tally)

    def _contents(self, stream: StreamSpec, piece: Slice, tally: Tally) -> Iterator[Batch]:
        _, spec = spec_of(self.api, stream)
        choice = Choice.of(self._value("paths"), int(self._value("largest")))
        sha, diff = self._diff(choice, piece.spec.get("token"))
        gathered = self._gathered(stream, spec, piece)
        skipped: Counter[str] = Counter()
        yield from _bounded(gathered, self._records(spec, choice, diff, skipped))
        tally.cursor = Cursor({"token": {"tree": sha, "paths": ",".join(choice.patterns), "largest": choice.largest}})
        if skipped:
            tally.detail["without_text"] = dict(skipped)
            self.ctx.log.info("%s: files whose text is not read: %s", stream.name, dict(skipped))

    def _diff(self, choice: Choice, token: Mapping[str, Any] | None) -> tuple[str, Diff]:
        ask = partial(self._tree, self.api.streams["files"])
        sha, found = root(ask, self._value("tree"))
        now = choice.files(found)
        if not token:
            return sha, told_apart({}, choice, now, choice)
        old = Choice.of(token["paths"], token["largest"])
        if (sha, choice) == (token["tree"], old):
            return sha, Diff((), ())
        try:
            before = old.files(entries(ask, token["tree"])) if token["tree"] else {}
        except Missing:
            raise SourceChanged(
                "GitHub no longer has the tree that the last run read, so what was deleted since cannot be told",
                remedy="read the stream in full once: dativo run --full-refresh",
            ) from None
        return sha, told_apart(before, old, now, choice)

    def _records(self, spec: Spec, choice: Choice, diff: Diff, skipped: Counter[str]) -> Iterator[Mapping[str, Any]]:
        for record in in_order(partial(self._file, spec, choice), diff.changed):
            if record["skipped"]:
                skipped[record["skipped"]] += 1
            yield record
        for path in diff.gone:
            yield {"path": path, "gone": True}

    def _file(self, spec: Spec, choice: Choice, entry: Entry) -> Mapping[str, Any]:
        known = {name: entry.get(name) for name in ("path", "sha", "mode", "size")}
        if choice.too_large(entry):
            return {**known, "content": None, "skipped": "large"}
        blob = self._asked(spec, {"parent": known}).data
        text = _text(b64decode(blob["content"]))
        return {**known, "content": text, "skipped": "binary" if text is None else None}

    def _tree(self, spec: Spec, name: str, whole: bool) -> Mapping[str, Any]:
        """An empty repository has no tree, which is an empty one."""
        return self._asked(spec, {"tree": name}, whole).data or {"sha": "", "tree": ()}

    def _asked(self, spec: Spec, more: Mapping[str, Any], params: bool = True) -> Page:
        client = self._client()
        values = {**client.values, **more}
        call = Call(address(spec.request.path, values), params=filled(spec.request.params, values) if params else {})
        limits = (spec.limit,) if spec.limit else ()
        return self.request(lambda: client.send(call, limits), f"reading {call.url}")

    def _value(self, name: str) -> str:
        return str(self._client().values.get(name) or "")


_OWN: Mapping[str, Callable[[GitHubReader, StreamSpec, Slice, Tally], Iterator[Batch]]] = {
    "files": GitHubReader._files,
    "file_contents": GitHubReader._contents,
}


def _bounded(gathered: Batches, records: Iterable[Mapping[str, Any]]) -> Iterator[Batch]:
    held = 0
    for record in records:
        yield from gathered.take(Page("", None, (record,)))
        held += len(record.get("content") or "")
        if held >= _FULL:
            held = 0
            yield from gathered.rest()
    yield from gathered.rest()


def _text(content: bytes) -> str | None:
    """None for what Git takes for binary, and for what is not UTF-8."""
    if b"\0" in content[:_LOOKED_AT]:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None

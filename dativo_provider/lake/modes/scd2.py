"""scd2: every version of a row is kept, with the time it was valid (a slowly changing dimension of type 2).

All that is known of a key is a row of events: versions begin, are confirmed, end. The run adds its own, wherever in
time they belong, and the versions are read off again. Doing so twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from dativo_provider.errors import ConfigurationError
from dativo_provider.lake.modes.base import Counts, Effect
from dativo_provider.lake.modes.keyed import FILE, POSITION, ROW, KeyedMode
from dativo_provider.lake.modes.missing import check_share, takes_missing
from dativo_provider.lake.scratch import quoted
from dativo_provider.model.marks import DELETE, OP
from dativo_provider.model.run import StagedFile

if TYPE_CHECKING:
    from pyiceberg.table import Table

__all__ = ["Scd2"]


class Scd2(KeyedMode):
    """A version begins at `order_by`, or without one when the run was planned."""

    def effect(self, table: Table) -> Effect:
        self._columns = [field.name for field in table.schema().fields]
        return super().effect(table)

    @property
    def everything(self) -> bool:
        return takes_missing(self._work)

    def columns(self) -> Sequence[str]:
        return self._columns

    def decide(self, table: Table) -> tuple[Sequence[StagedFile], Counts]:
        self._check_lane()
        self._touch()
        self._gather_events()
        self._read_off_versions()
        stays = f"select 1 from versions where stays and f = existing.{FILE} and p = existing.{POSITION}"
        self.db.run(
            f"insert into gone select {FILE}, {POSITION} from existing "
            f"where {self._touched('existing')} and not exists ({stays})"
        )
        written, dropped = self.db.count("from versions where not stays"), self.db.count("from gone")
        counts = Counts(max(0, written - dropped), min(written, dropped), max(0, dropped - written))
        return self._write(table), counts

    def _check_lane(self) -> None:
        if self._plan.lane.kind != "live" and not self._plan.job.target.order_by:
            raise ConfigurationError(
                f"a {self._plan.lane.kind} brings versions of the past, and nothing says when they were valid",
                where=self._plan.table,
                remedy="name the column that does in target.order_by",
            )

    # -- events ---------------------------------------------------------------------------------------
    # `incoming` and `existing` have the user's columns and are always named; keys are k0, k1, ... elsewhere.

    def _touch(self) -> None:
        """`touched`: keys whose history this run may change. `known`: how far it reaches."""
        self.db.run(f"create or replace table touched as select distinct {self._keys('incoming')} from incoming "
                    f"where incoming.{OP} in ('{ROW}', '{DELETE}')")  # fmt: skip
        if self.everything:
            self._touch_missing()
        order = f", {self._order('existing')}" if self._plan.job.target.order_by else ""
        last = f"max(greatest(existing.{self._begin}, existing.{self._end}{order}))"
        self.db.run(f"create or replace table known as select {self._keys('existing')}, {last} as last from existing "
                    "group by all")  # fmt: skip

    def _touch_missing(self) -> None:
        current = f"existing.{quoted(self._plan.job.target.history.is_current)}"
        self.db.run(f"create or replace table missing as select distinct {self._keys('existing')} from existing "
                    f"anti join incoming on {self.same('incoming', 'existing')} where {current}")  # fmt: skip
        self.db.run("insert into touched from missing")
        rows = self.db.count(f"select distinct {self._keys('existing')} from existing where {current}")
        check_share(self._plan, self.db.count("from missing"), rows)

    def _gather_events(self) -> None:
        """`events`: of each touched key, what happened when (`t`). `f` and `p` are the place of the row."""
        self.db.run("create or replace table events as " + " union all ".join(self._events()))
        # What the table has already is no news; else the run knows better than the table.
        self.db.run(
            "delete from events where origin = 1 and exists (select 1 from events as x where x.origin = 0 "
            f"and x.op = '{ROW}' and {self._alike('x', 'events')} and x.t = events.t "
            "and x.whole is not distinct from events.whole)"
        )

    def _events(self) -> Iterable[str]:
        nothing = "null as f, null as p, null as tracked, null as whole"
        begin, end, mine = f"existing.{self._begin}", f"existing.{self._end}", self._touched("existing")
        known = f"select {self._keys('existing')}, %s as t, '%s' as op, 0 as origin, %s from existing where {mine} %s"
        row = self._row("existing")
        yield known % (begin, ROW, row, "")
        again = f"select 1 from existing as x where {self.same('x', 'existing')} and x.{self._begin} = {end}"
        yield known % (end, DELETE, nothing, f"and {end} is not null and not exists ({again})")
        if self._plan.job.target.order_by:
            seen = self._order("existing")
            yield known % (seen, ROW, row, f"and {seen} > {begin} and ({end} is null or {seen} < {end})")
        yield (f"select {self._keys('incoming')}, {self._moment()} as t, incoming.{OP} as op, 1 as origin, "
               f"{self._row('incoming')} from incoming left join known on {self._match('incoming', 'known')} "
               f"where incoming.{OP} in ('{ROW}', '{DELETE}')")  # fmt: skip
        if self.everything:
            yield (f"select missing.*, {self._now()} as t, '{DELETE}' as op, 1 as origin, {nothing} "
                   f"from missing left join known on {self._alike('missing', 'known')}")  # fmt: skip

    def _moment(self) -> str:
        """SQL: when the version of an incoming row began. Without an order it is newer than all that is known."""
        if not self._plan.job.target.order_by:
            return self._now()
        return f"coalesce({self._order('incoming')}, {self._now()})"

    def _now(self) -> str:
        stamp = f"timestamptz '{self._plan.created_at}'"
        return f"greatest({stamp}, coalesce(known.last + interval 1 microsecond, {stamp}))"

    def _order(self, name: str) -> str:
        return f"{name}.{quoted(self._plan.job.target.order_by)}::timestamptz"

    def _row(self, name: str) -> str:
        """SQL: the place of a row, the row as one value, and what of it makes a new version when it changes."""
        own = [field.name for field in self._plan.fields]
        unversioned = {*self._key, self._plan.job.target.order_by}
        tracked = self._plan.job.target.history.track or [each for each in own if each not in unversioned] or own
        place = f"{name}.{FILE} as f, {name}.{POSITION} as p"
        return f"{place}, {_packed(name, tracked)} as tracked, {_packed(name, own)} as whole"

    # -- versions -------------------------------------------------------------------------------------

    def _read_off_versions(self) -> None:
        """`versions`: the rows the table should have of these keys; `stays`: it has exactly this one."""
        keys = ", ".join(f"k{number}" for number in range(len(self._key)))
        current = quoted(self._plan.job.target.history.is_current)
        self.db.run(f"""
            create or replace table versions as
            with single as (
                from events qualify row_number() over (partition by {keys}, t order by origin desc) = 1
            ), marked as (
                select *, op = '{DELETE}' or lag(op, 1, '{DELETE}') over w = '{DELETE}'
                    or lag(tracked) over w is distinct from tracked as starts
                from single window w as (partition by {keys} order by t)
            ), numbered as (
                select *, sum(starts::int) over (partition by {keys} order by t) as version from marked
            ), spans as (
                select *, min(t) over (partition by {keys}, version) as since, last_value(whole) over (
                    partition by {keys}, version order by t
                    rows between unbounded preceding and unbounded following) as final
                from numbered
            ), chosen as (
                from spans qualify row_number() over (partition by {keys}, version
                    order by origin = 0 and whole is not distinct from final desc, t desc) = 1
            ), closed as (
                select *, lead(since) over (partition by {keys} order by since) as until from chosen
            )
            select c.f, c.p, c.origin, c.since, c.until,
                coalesce(e.{self._begin} = c.since and e.{self._end} is not distinct from c.until
                    and e.{current} = (c.until is null), false) as stays
            from closed as c left join existing as e on c.origin = 0 and e.{FILE} = c.f and e.{POSITION} = c.p
            where c.op = '{ROW}'
        """)

    def _write(self, table: Table) -> Sequence[StagedFile]:
        if not self.db.count("from versions where not stays"):
            return ()
        parts = [self._rows_of(name, origin) for origin, name in enumerate(("existing", "incoming"))]
        row = "concat_ws(' ', f, p, origin, since, until)"
        digest = self.db.run(f"select md5(string_agg({row}, '|' order by f, p, since)) from versions where not stays")
        return self._rewriter.write(table, f"versions {digest}", self.db.stream(" union all by name ".join(parts)))

    def _rows_of(self, name: str, origin: int) -> str:
        columns = self._plan.job.target.history
        made = {columns.valid_from: "v.since", columns.valid_to: "v.until", columns.is_current: "v.until is null"}
        chosen = ", ".join(f"{made.get(each, f'{name}.{quoted(each)}')} as {quoted(each)}" for each in self._columns)
        return (f"select {chosen} from versions as v join {name} on v.f = {name}.{FILE} and v.p = {name}.{POSITION} "
                f"where v.origin = {origin} and not v.stays")  # fmt: skip

    # -- SQL of keys ----------------------------------------------------------------------------------

    @property
    def _begin(self) -> str:
        return quoted(self._plan.job.target.history.valid_from)

    @property
    def _end(self) -> str:
        return quoted(self._plan.job.target.history.valid_to)

    def _keys(self, name: str) -> str:
        return ", ".join(f"{name}.{quoted(key)} as k{number}" for number, key in enumerate(self._key))

    def _match(self, name: str, made: str) -> str:
        return " and ".join(f"{name}.{quoted(key)} = {made}.k{number}" for number, key in enumerate(self._key))

    def _alike(self, left: str, right: str) -> str:
        return " and ".join(f"{left}.k{number} = {right}.k{number}" for number in range(len(self._key)))

    def _touched(self, name: str) -> str:
        return f"exists (select 1 from touched where {self._match(name, 'touched')})"


def _packed(name: str, columns: Sequence[str]) -> str:
    return f"struct_pack({', '.join(f'c{number} := {name}.{quoted(each)}' for number, each in enumerate(columns))})"

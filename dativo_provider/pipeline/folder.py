"""What the steps of one run write down for each other: plan, manifests, verdict, outcome."""

from __future__ import annotations

from dativo_provider.errors import ConfigurationError
from dativo_provider.files import FileStore
from dativo_provider.model.checks import Verdict
from dativo_provider.model.run import Manifest, Plan, Published, dump, load
from dativo_provider.pipeline.base_cursor import without_large_cursor

__all__ = ["RunFolder"]


class RunFolder:
    """The folder of one plan. Plans and manifests are written once: whoever comes second reads the first."""

    def __init__(self, store: FileStore, uri: str) -> None:
        self.store, self.uri = store, uri.rstrip("/")

    @classmethod
    def of_plan(cls, store: FileStore, plan_uri: str) -> RunFolder:
        return cls(store, plan_uri.rsplit("/", 1)[0])

    def write_plan(self, plan: Plan) -> None:
        self.store.write_new(plan.path, dump(without_large_cursor(plan)))

    def plan(self) -> Plan:
        """Raises `ConfigurationError` when the folder cannot be seen from here."""
        try:
            return load(Plan, self.store.read(f"{self.uri}/plan.json"))
        except FileNotFoundError as missing:
            raise ConfigurationError(
                "the plan of this run is not there",
                where=f"{self.uri}/plan.json",
                remedy="tasks of one run must share the warehouse; else clear the plan task to make a new plan",
            ) from missing

    def _manifest_uri(self, name: str) -> str:
        return f"{self.uri}/manifests/{name}.json"

    def manifest(self, index: int) -> Manifest | None:
        return self._manifest(f"slice-{index:05d}")

    def transformed(self) -> Manifest | None:
        return self._manifest("transformed")

    def without_repeats(self) -> Manifest | None:
        """What audit left of the run's rows where a key must not repeat; None where it left all."""
        return self._manifest("without-repeats")

    def _manifest(self, name: str) -> Manifest | None:
        try:
            return load(Manifest, self.store.read(self._manifest_uri(name)))
        except FileNotFoundError:
            return None

    def add_manifest(self, manifest: Manifest, name: str = "") -> Manifest:
        """The winner: `manifest`, or the one an earlier attempt at the same slice has written."""
        uri = self._manifest_uri(name or f"slice-{manifest.slice:05d}")
        if self.store.write_new(uri, dump(manifest)):
            return manifest
        return load(Manifest, self.store.read(uri))

    def manifests(self, plan: Plan) -> list[Manifest]:
        """Every slice's winner, in slice order. Raises `ConfigurationError` when one is missing."""
        found = [self.manifest(piece.index) for piece in plan.slices]
        missing = [str(piece.index) for piece, manifest in zip(plan.slices, found, strict=True) if manifest is None]
        if missing:
            raise ConfigurationError(
                f"slices {', '.join(missing)} of the plan have not been extracted",
                where=self.uri,
                remedy="run the extract tasks of this plan first",
            )
        return [manifest for manifest in found if manifest is not None]

    def write_verdict(self, verdict: Verdict) -> None:
        self.store.write(f"{self.uri}/verdict.json", dump(verdict))

    def verdict(self) -> Verdict:
        try:
            return load(Verdict, self.store.read(f"{self.uri}/verdict.json"))
        except FileNotFoundError as missing:
            raise ConfigurationError(
                "this run has not been audited", where=self.uri, remedy="run the audit task of this plan first"
            ) from missing

    def write_profile(self, profile: bytes) -> None:
        """Of the staged rows, as JSON; the first of several audits wins."""
        self.store.write_new(f"{self.uri}/profile.json", profile)

    def profile(self) -> bytes | None:
        """None where the run made none."""
        try:
            return self.store.read(f"{self.uri}/profile.json")
        except FileNotFoundError:
            return None

    def write_report(self, page: str) -> None:
        """For people; nothing reads it again."""
        self.store.write(f"{self.uri}/report.html", page.encode())

    def published(self) -> Published | None:
        """None before the run has been published, or put on its branch."""
        try:
            return load(Published, self.store.read(f"{self.uri}/published.json"))
        except FileNotFoundError:
            return None

    def write_published(self, published: Published) -> None:
        self.store.write(f"{self.uri}/published.json", dump(published))

"""What a deployment sets (`[dativo]` of airflow.cfg, `DATIVO_*`), as `Settings`. Everything has an embedded default."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dativo_provider.config.catalogs import CATALOGS, catalog_type
from dativo_provider.config.problems import did_you_mean, listed
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.settings import CatalogSettings, Settings, StoreSettings

__all__ = ["KEYS", "megabytes", "settings_from"]

KEYS = (
    "home", "catalog_name", "catalog_type", "catalog_uri", "catalog_properties", "warehouse", "store_uri",
    "memory_limit", "threads", "mode", "environment", "manage_pools", "manage_roles", "distributed",
    "state_encryption", "envs", "notifiers",
)  # fmt: skip
_DEFAULT_HOME = ".dativo"
_WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", re.IGNORECASE)
_MEGABYTES = {"": 1.0, "k": 1 / 1024, "m": 1.0, "g": 1024.0, "t": 1024.0 * 1024}


def settings_from(values: Mapping[str, str]) -> Settings:
    """`values` by the names of `KEYS`; an empty value counts as absent.

    Raises `ConfigurationError` for an unknown name or a value that cannot be read. Values are never shown: they
    may hold passwords.
    """
    for name in values:
        if name not in KEYS:
            hint = did_you_mean(name, KEYS)
            raise ConfigurationError(
                f"there is no setting '{name}'", where=f"[dativo] {name}", remedy=hint or f"use one of: {listed(KEYS)}"
            )
    given = {name: value.strip() for name, value in values.items() if value and value.strip()}
    home = Path(given.get("home", _DEFAULT_HOME)).expanduser().absolute()
    warehouse = _uri(given.get("warehouse", ""), home / "warehouse")
    return Settings(
        home=str(home),
        catalog=_catalog(given, home, warehouse),
        store=_store(given.get("store_uri", ""), home, warehouse),
        mode=_choice(given, "mode", ("self_hosted", "cloud")),
        memory_limit_mb=megabytes(given.get("memory_limit", "1024"), "[dativo] memory_limit"),
        threads=_integer(given, "threads", 2),
        manage_pools=_flag(given, "manage_pools"),
        manage_roles=_flag(given, "manage_roles"),
        envs=str(Path(given.get("envs", home / "envs")).expanduser().absolute()),
        notifiers=tuple(given.get("notifiers", "").replace(",", " ").split()),
        distributed=_flag(given, "distributed"),
        state_encryption=_json_object(given, "state_encryption", '{"key": "${SECRET:STATE_KEY}", "key_id": "2026"}'),
    )


def _catalog(given: Mapping[str, str], home: Path, warehouse: str) -> CatalogSettings:
    kind = catalog_type({"type": given.get("catalog_type", "sql")})
    if kind not in CATALOGS:
        raise ConfigurationError(
            f"there is no catalog of type '{kind}'", where="[dativo] catalog_type",
            remedy=did_you_mean(kind, CATALOGS) or f"use one of: {listed(sorted(CATALOGS))}",
        )  # fmt: skip
    further = _json_object(given, "catalog_properties", '{"s3.region": "eu-central-1"}')
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in further.items()}
    properties = {"type": kind, **texts}
    if uri := given.get("catalog_uri"):
        properties["uri"] = uri
    elif kind == "sql":
        properties.setdefault("uri", f"sqlite:///{home / 'catalog.db'}")
    elif "uri" in CATALOGS[kind].needs and "uri" not in properties:
        raise ConfigurationError(
            f"a {kind} catalog needs its address", where="[dativo] catalog_uri", remedy="set catalog_uri to its URL"
        )
    embedded = properties.get("uri", "").startswith("sqlite") or warehouse.startswith("file:")
    return CatalogSettings(given.get("catalog_name", "dativo"), properties, warehouse, embedded)


def _json_object(given: Mapping[str, str], name: str, example: str) -> dict[str, Any]:
    try:
        found = json.loads(given.get(name) or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ConfigurationError(f"{name} is not a JSON object", where=f"[dativo] {name}", remedy=f"write {example}")
    return found


def _store(uri: str, home: Path, warehouse: str) -> StoreSettings:
    """A database URL is a `sql` store, a folder a `lake` one; by default beside a remote warehouse, else SQLite."""
    if not uri and not warehouse.startswith("file:"):
        return StoreSettings("lake", f"{warehouse.rstrip('/')}/_dativo", embedded=False)
    if not uri:
        return StoreSettings("sql", f"sqlite:///{home / 'store.db'}")
    scheme = uri.partition("://")[0].lower() if "://" in uri else ""
    if scheme.partition("+")[0] in ("sqlite", "postgresql", "postgres", "mysql", "mariadb"):
        return StoreSettings("sql", uri, embedded=scheme.startswith("sqlite"))
    return StoreSettings("lake", _uri(uri, home), embedded=scheme in ("", "file"))


def _uri(text: str, default: Path) -> str:
    """A URI with its scheme; local paths become absolute `file://` ones."""
    if "://" in text:
        return text.rstrip("/")
    return (Path(text).expanduser().absolute() if text else default).as_uri()


def _choice(given: Mapping[str, str], name: str, words: tuple[str, ...]) -> str:
    value = given.get(name, words[0]).lower()
    if value not in words:
        raise ConfigurationError(
            f"{name} is neither {' nor '.join(words)}",
            where=f"[dativo] {name}",
            remedy=did_you_mean(value, words) or f"use one of: {listed(words)}",
        )
    return value


def _flag(given: Mapping[str, str], name: str) -> bool:
    value = given.get(name, "false").lower()
    if value not in _WORDS:
        raise ConfigurationError(f"{name} is not a yes or no", where=f"[dativo] {name}", remedy="use true or false")
    return _WORDS[value]


def _integer(given: Mapping[str, str], name: str, default: int) -> int:
    value = given.get(name, str(default))
    if not value.isascii() or not value.isdigit() or not 0 < int(value) < 10_000:
        raise ConfigurationError(f"{name} is not a whole number above 0", where=f"[dativo] {name}", remedy="e.g. 2")
    return int(value)


def megabytes(text: str, where: str) -> int:
    """`1024`, `512MB`, `1.5 GB`; without a unit, MB. Raises `ConfigurationError`."""
    match = _SIZE.fullmatch(text.strip())
    found = int(float(match[1]) * _MEGABYTES[match[2].lower()]) if match else 0
    if not 64 <= found <= 10_000_000:
        raise ConfigurationError("memory_limit is not a size of at least 64 MB", where=where, remedy="e.g. 1024 or 2GB")
    return found

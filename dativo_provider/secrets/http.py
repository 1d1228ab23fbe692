"""Requests to stores of secrets that speak HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dativo_provider.errors import StorageUnavailable

__all__ = ["ask"]


def ask(
    what: str, method: str, url: str, headers: Mapping[str, str] = {}, body: Any = None, *,
    params: Mapping[str, str] | None = None, timeout: float = 10.0, verify: bool | str = True,
) -> tuple[int, Any]:  # fmt: skip
    """Status and JSON. Redirections are not followed: they would take the token along. Raises `StorageUnavailable`."""
    import httpx

    try:
        with httpx.Client(timeout=timeout, verify=_trusted(verify), follow_redirects=False) as client:
            answer = client.request(method, url, headers=dict(headers), json=body, params=params)
    except httpx.HTTPError as error:
        raise StorageUnavailable(
            f"{what} could not be asked ({type(error).__name__})", where=url,
            remedy="check its address and that this machine reaches it",
        ) from error  # fmt: skip
    if answer.status_code >= 500 or answer.status_code == 429:
        raise StorageUnavailable(f"{what} answered {answer.status_code}", where=url, remedy="look whether it is up")
    try:
        return answer.status_code, answer.json()
    except ValueError:
        if answer.status_code == 200:
            raise StorageUnavailable(
                f"{what} answered something else than JSON", where=url, remedy="check its address"
            ) from None
        return answer.status_code, None


def _trusted(verify: bool | str) -> Any:
    if not isinstance(verify, str):
        return verify
    import ssl

    return ssl.create_default_context(cafile=verify)

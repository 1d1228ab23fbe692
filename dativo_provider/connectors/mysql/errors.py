"""MySQL's and MariaDB's errors in our tree. https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html"""

from __future__ import annotations

from dativo_provider.connectors.mysql.driver import pymysql_module
from dativo_provider.errors import (
    ConfigurationError,
    CredentialError,
    DataError,
    DativoError,
    SourceChanged,
    SourceUnavailable,
)

__all__ = ["ACCESS_DENIED", "NO_DATABASE", "UNHEARD", "translate"]

Answer = tuple[type[DativoError], str]

_UP: Answer = (
    SourceUnavailable,
    "check that the server is up and reachable from this machine, and repeat the run",
)
_LOGIN: Answer = (CredentialError, "check user, password and the hosts from which the server knows this user")
_FULL: Answer = (SourceUnavailable, "wait, or raise the server's limit of connections")
_GRANT: Answer = (CredentialError, "grant this user SELECT on it")
_TABLE: Answer = (SourceChanged, "correct the table's name, or restore the table")
_QUERY: Answer = (ConfigurationError, "correct `query` or `where` of the stream")
_AGAIN: Answer = (SourceUnavailable, "the server gave way to others; repeat the run")
_SHORT: Answer = (SourceUnavailable, "the server is short of resources, or not ready; repeat the run later")
_SLOW: Answer = (ConfigurationError, "raise options.statement_timeout, or read the stream in several slices")
_TLS: Answer = (ConfigurationError, "check `ssl` of the connection")
NO_DATABASE = 1049
ACCESS_DENIED = frozenset({1044, 1045, 1698, 2059, 1251, 4151})
UNHEARD = frozenset({1044, 1064, 1105, 1142, 1143, 1227, 1235, 1345, 1370})  # a statement unknown here, or not allowed

_NUMBERS: dict[int, Answer] = {
    **dict.fromkeys((*ACCESS_DENIED, 1130, 1820, 1862, 3118, 3955), _LOGIN),
    **dict.fromkeys((1142, 1143, 1227, 1370), _GRANT),
    **dict.fromkeys((1040, 1203, 1226, 1129), _FULL),
    **dict.fromkeys(
        (0, 2002, 2003, 2006, 2013, 3032, 4031, 1053, 1077, 1158, 1159, 1160, 1161, 1927, 2014, 2027, 2055), _UP
    ),
    **dict.fromkeys((3, 1021, 1026, 1030, 1037, 1041, 1047, 1114, 1135), _SHORT),
    **dict.fromkeys((1205, 1213, 1412, 1637), _AGAIN),
    **dict.fromkeys((3024, 1969), _SLOW),
    **dict.fromkeys((1290, 1792), (ConfigurationError, "a source query must only read")),
    **dict.fromkeys((2026, 3159), _TLS),
    **dict.fromkeys((1064, 1052, 1066, 1248, 1305, 1584, 1060), _QUERY),
    NO_DATABASE: (ConfigurationError, "correct source.connection.database"),
    1146: _TABLE,
    1356: (SourceChanged, "the view refers to what is no longer there; correct it"),
    1054: (SourceChanged, "correct the column's name, or restore the column"),
    1317: (SourceUnavailable, "somebody cancelled our query; repeat the run"),
    1038: (ConfigurationError, "raise sort_buffer_size of the server, or leave the sort out of `query`"),
    1153: (DataError, "a row is larger than the server's max_allowed_packet; leave out its largest column"),
}


def translate(error: Exception, where: str = "") -> DativoError | None:
    """The error of our tree for one of PyMySQL's; None for others."""
    if not isinstance(error, pymysql_module().err.MySQLError):
        return None
    number, message = _parts(error)
    kind, remedy = _answer(number, message)
    # what is not listed may quote values of rows: 1292, 1366, 1690, 3141, ...
    text = message if number in _NUMBERS else f"the server could not compute a value (error {number})"
    return kind(text, where=where, remedy=remedy, number=number)


def _answer(number: int, message: str) -> Answer:
    low = message.lower()
    if number == 2003 and ("certificate" in low or "ssl" in low):
        return _TLS
    return _NUMBERS.get(number, (DataError, "see the server's log"))


def _parts(error: Exception) -> tuple[int, str]:
    number = next((each for each in error.args if isinstance(each, int)), 0)
    words = [" ".join(str(each).split()) for each in error.args if not isinstance(each, int)]
    return number, "; ".join(filter(None, words)) or "the connection broke"

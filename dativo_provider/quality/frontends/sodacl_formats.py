"""`valid format:` of SodaCL: names of formats as regular expressions of our own, for RE2."""

from __future__ import annotations

__all__ = ["FORMATS"]

_DAY, _MONTH, _YEAR = r"(0?[1-9]|[12][0-9]|3[01])", r"(0?[1-9]|1[0-2])", r"[0-9]{2,4}"
_OCTET = r"(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"

FORMATS = {
    "credit card number": r"^[0-9]{4}([- ]?)[0-9]{4}([- ]?)[0-9]{4}([- ]?)[0-9]{1,7}$",
    "date eu": rf"^{_DAY}[-./]{_MONTH}[-./]{_YEAR}$",
    "date us": rf"^{_MONTH}[-./]{_DAY}[-./]{_YEAR}$",
    "date inverse": rf"^{_YEAR}[-./]{_MONTH}[-./]{_DAY}$",
    "date iso 8601": r"^[0-9]{4}-?(0[1-9]|1[0-2])-?(0[1-9]|[12][0-9]|3[01])([T ][0-9]{2}(:?[0-9]{2}){0,2}(\.[0-9]+)?"
    r"(Z|[+-][0-9]{2}:?[0-9]{2})?)?$",
    "decimal": r"^[+-]?[0-9]*[.,]?[0-9]+$",
    "decimal comma": r"^[+-]?[0-9]*,?[0-9]+$",
    "decimal point": r"^[+-]?[0-9]*\.?[0-9]+$",
    "email": r"^[^@\s]+@[^@\s]+\.[^@\s.]+$",
    "integer": r"^[+-]?[0-9]+$",
    "ip address": rf"^({_OCTET}\.){{3}}{_OCTET}$",
    "ipv4 address": rf"^({_OCTET}\.){{3}}{_OCTET}$",
    "ipv6 address": r"^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$",
    "negative integer": r"^-[0-9]+$",
    "negative decimal": r"^-[0-9]*[.,]?[0-9]+$",
    "percentage": r"^[+-]?[0-9]+([.,][0-9]+)? ?%$",
    "phone number": r"^\+?[0-9(][0-9 ().-]{5,18}[0-9]$",
    "positive integer": r"^\+?[0-9]+$",
    "positive decimal": r"^\+?[0-9]*[.,]?[0-9]+$",
    "time 12h": r"^(0?[0-9]|1[0-2])[:h][0-5]?[0-9]( ?[AaPp][Mm])?$",
    "time 24h": r"^([01]?[0-9]|2[0-4])[:h][0-5]?[0-9]([:m][0-5]?[0-9])?$",
    "uuid": r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
}

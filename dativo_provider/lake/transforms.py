"""Partition values of whole Arrow arrays; PyIceberg itself has them value by value, at 5 µs each.
https://iceberg.apache.org/spec/#partition-transforms"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["transformed"]

_MICROS = {"day": 86_400_000_000, "hour": 3_600_000_000}


def transformed(array: pa.Array, transform: Any, kind: Any) -> pa.Array | list[Any]:
    """`transform` of each value of a column of Iceberg type `kind`, in Iceberg's representation (days, microseconds).

    Transforms and types not seen here go through PyIceberg's own function, value by value.
    """
    import pyarrow as pa

    name, _, parameter = str(transform).removesuffix("]").partition("[")
    if name in _OF and not pa.types.is_decimal(array.type):
        return _OF[name](_represented(array), int(parameter or 0))
    apply = transform.transform(kind)
    return [apply(value) for value in _represented(array).to_pylist()]


def _represented(array: pa.Array) -> pa.Array:
    import pyarrow as pa

    if pa.types.is_timestamp(array.type):
        return array.cast(pa.timestamp("us"))  # UTC wall clock; drops the zone without moving the instant
    return array.cast(pa.int64()) if pa.types.is_time(array.type) else array


def _numbers(array: pa.Array) -> pa.Array:
    """Days of dates, microseconds of timestamps."""
    import pyarrow as pa

    return array.cast(pa.int32() if pa.types.is_date(array.type) else pa.int64())


def _identity(array: pa.Array, _parameter: int) -> pa.Array:
    import pyarrow as pa

    return _numbers(array) if pa.types.is_temporal(array.type) else array


def _year(array: pa.Array, _parameter: int) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.subtract(pc.year(array), 1970).cast(pa.int32())


def _month(array: pa.Array, _parameter: int) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    years = pc.subtract(pc.year(array), 1970)
    return pc.add(pc.multiply(years, 12), pc.subtract(pc.month(array), 1)).cast(pa.int32())


def _day(array: pa.Array, _parameter: int) -> pa.Array:
    import pyarrow as pa

    return _numbers(array) if pa.types.is_date(array.type) else _whole(_numbers(array), _MICROS["day"]).cast(pa.int32())


def _hour(array: pa.Array, _parameter: int) -> pa.Array:
    import pyarrow as pa

    return _whole(_numbers(array), _MICROS["hour"]).cast(pa.int32())


def _whole(numbers: pa.Array, unit: int) -> pa.Array:
    """Floor division, which Arrow does not have: its integer division rounds toward zero."""
    import pyarrow as pa
    import pyarrow.compute as pc

    quotient = pc.divide(numbers, unit)
    below = pc.less(pc.subtract(numbers, pc.multiply(quotient, unit)), 0)
    return pc.subtract(quotient, below.cast(pa.int64()))


def _truncate(array: pa.Array, width: int) -> pa.Array:
    """What does not fit wraps around, as in the Java implementation: only the lowest numbers of the type."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_integer(array.type):
        return pc.multiply(_whole(array.cast(pa.int64()), width), width).cast(array.type, safe=False)
    cut = pc.utf8_slice_codeunits if pa.types.is_string(array.type) else pc.binary_slice
    return cut(array, 0, width)


def _bucket(array: pa.Array, buckets: int) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pa.types.is_string(array.type) or pa.types.is_binary(array.type) or pa.types.is_fixed_size_binary(array.type)
    positive = pc.bit_wise_and(_hash_bytes(array) if text else _hash_longs(array), 0x7FFFFFFF).cast(pa.int32())
    return pc.subtract(positive, pc.multiply(pc.divide(positive, buckets), buckets))


def _hash_bytes(array: pa.Array) -> pa.Array:
    import mmh3
    import pyarrow as pa

    hashed = mmh3.hash
    values = (None if value is None else hashed(value) for value in array.cast(pa.binary()).to_pylist())
    return pa.array(values, pa.int32(), size=len(array))


def _hash_longs(array: pa.Array) -> pa.Array:
    """Murmur3 (x86, 32 bits, seed 0) of each value's eight little-endian bytes, in arithmetic that wraps around.
    https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp"""
    import pyarrow as pa
    import pyarrow.compute as pc

    words = _numbers(array).cast(pa.int64()).view(pa.uint64())
    low = pc.bit_wise_and(words, pa.scalar(0xFFFFFFFF, pa.uint64()))
    high = pc.shift_right(words, pa.scalar(32, pa.uint64()))
    found = pc.bit_wise_xor(_mixed(_mixed(None, low), high), _word(8))
    found = _times(pc.bit_wise_xor(found, pc.shift_right(found, _word(16))), 0x85EBCA6B)
    found = _times(pc.bit_wise_xor(found, pc.shift_right(found, _word(13))), 0xC2B2AE35)
    return pc.bit_wise_xor(found, pc.shift_right(found, _word(16)))


def _mixed(state: pa.Array | None, block: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    scrambled = _times(_rotated(_times(block.cast(pa.uint32()), 0xCC9E2D51), 15), 0x1B873593)
    joined = scrambled if state is None else pc.bit_wise_xor(state, scrambled)
    return pc.add(_times(_rotated(joined, 13), 5), _word(0xE6546B64))


def _rotated(words: pa.Array, bits: int) -> pa.Array:
    import pyarrow.compute as pc

    return pc.bit_wise_or(pc.shift_left(words, _word(bits)), pc.shift_right(words, _word(32 - bits)))


def _times(words: pa.Array, factor: int) -> pa.Array:
    import pyarrow.compute as pc

    return pc.multiply(words, _word(factor))


def _word(value: int) -> pa.Scalar:
    import pyarrow as pa

    return pa.scalar(value, pa.uint32())


_OF: dict[str, Callable[[pa.Array, int], pa.Array]] = {
    "identity": _identity, "year": _year, "month": _month, "day": _day, "hour": _hour,
    "truncate": _truncate, "bucket": _bucket,
}  # fmt: skip

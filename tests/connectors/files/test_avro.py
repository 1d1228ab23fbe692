"""Avro files that `fastavro` packed with the libraries it has for that, which are not needed to read them."""

from __future__ import annotations

import base64
import io
import resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dativo_provider.connectors.files.formats import Asked, format_named
from dativo_provider.connectors.files.formats.avro_blocks import unpacked
from dativo_provider.errors import DataError
from tests.connectors.files.local import read_all, rows_of, stream_of
from tests.connectors.files.test_formats import source
from tests.support import requirement

SCHEMA = {"type": "record", "name": "r", "fields": [
    {"name": "id", "type": "long"}, {"name": "name", "type": ["null", "string"]},
]}  # fmt: skip
ROWS: list[dict[str, Any]] = [{"id": at, "name": None if at % 5 == 0 else "ümlaut " * (at % 3)} for at in range(40)]
# fastavro.writer(file, SCHEMA, ROWS, codec=..., sync_interval=60) 1.13.1, with cramjam 2.14 and backports.zstd 1.8
WRITTEN = {
    "snappy": (
        "Phx5T1QcO*a&InUZ)9a-40CQ_aBz7RVRmwFE^}jOWo=>d0ed2Jd2nSSIv^r)Wn*u0WFjmeB5q-"
        "AWg<EtB61=uAR=aIWo%?~B03;jdm?UOZDk@lAR=jGA}k;xba`-PB03-"
        "<Y;SI7B7H0%dm?UOZDk@lAR=yIZDk@XAR=^maAhJoAX_4Cb!==REFdCtbaH8KXChsFU3~yBF)}kWH8wXmIbmXBWMyU$WIj9q00II"
        "K!@O;5VRdvM1Ogxt3lRtm1_A&G86i9h01N^E4gwIvylre@b#x#KFo?x4F)}kWH8wXmIbmXBWMyU!R7@lg0wBY@ZERt6bQK5`5&{4"
        "e02W3V02CMk02%@i5iS56Mj-"
        "&oKYUy;F)}kWH8wXmIbmXBWMyU$WIj9|03ZSo!@O;5VRdvMA_5>03lRtmBmw{?86i9<04f3iECLY2ylre@b#x#lEFb_dF)}kWH8w"
        "XmIbmXBWMyU!R7@l;0wBY@ZERt6bQK5`FaiKF05nDz02DR?05}2=5iS5aMj-"
        "$MuTIf0F)}kWH8wXmIbmXBWMyU$WIjAR06qc`!@O;5VRdvMKms5U3lRtmLIMCp86iAI07wD=N&*nWylre@b#x#~62;*#F)}kWH8w"
        "XmIbmXBWMyUqI2Ke)0wBY@ZERt6bRfgLZERt6bRbRw0MK2TA}}#BGc+|eH#j+AVq;`wW&"
    ),
    "zstandard": (
        "Phx5T1QcO*a&InUZ)9a-5_)rVVQyq$a%2`^c5-hnb7N>_ZDH~Odm?msaAhJoAR=;QV{dX~A}k;xZeeX@B03-<aw04sB4%l2Y-"
        "DpHIv`tnB5q-AWg<EtB57nIEFdCud2nSSIv^r!Z*FHIeJmh*B5q-AWg<EtB5q-AWg;vfB6N9hWg<EtTOw|CY-"
        "}PdAR=>ga%pa7B3*r5eE={qGBY$aHa9pqVPa!sWo8gyD77#BAU-_-"
        "0MGyc0s;`jylre@b#x#E0w4wg00;^I3<3ZS1OPL4A!^eK0Zf!7FflSSG&MFiI5}ZrV`OD!4q7O+Fa01)B>@1q5CR~>ylre@b#xK}"
        "02BZg7y<wq0uUSo07Q9_lPEiVSy7NMF)}kWH8wXmIbmXBWMyU$U?{aO{UAO)0RYe*03ZSo!@O;5VRdvMA_5>J0stl`04f3iECc{E"
        "cOh!i3IR-%B``5EGc+|eH#j+AVq;`wW)4~?wJ-f3OeFyTxGn-"
        "9!@O;5VRdvc0st}qG&TYNI06tl1OP;Nk&`GpeOXbEFflSSG&MFiI5}ZrV`OD!5MU^^Fa01sJplmFJODld5W~D}Y+-"
        "eDAV2~jLIMCpMgT|x07?V^Gj}0s(+UAhlqE1RGBY$aHa9pqVPa!sWo868D77#BAQqhf0BB4CAj7<EY+-eDP67Y{04oX-"
        "FflSSG&MFiI5}ZrV`OD!"
    ),
}


def packed(codec: str) -> bytes:
    if codec in WRITTEN:
        return base64.b85decode(WRITTEN[codec])
    sink = io.BytesIO()
    fastavro.writer(sink, SCHEMA, ROWS, codec=codec, sync_interval=60)
    return sink.getvalue()


@requirement("CON-20")
@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "xz", "snappy", "zstandard"])
def test_every_packing_is_read_as_it_was_written(codec: str, tmp_path: Path) -> None:
    (tmp_path / "a.avro").write_bytes(packed(codec))
    batches = read_all(source(tmp_path, "avro"), "a.avro")
    assert rows_of(batches) == ROWS


@pytest.mark.parametrize("codec", WRITTEN)
@given(data=st.data())
def test_a_damaged_block_is_refused_or_is_what_was_written(codec: str, data: st.DataObject) -> None:
    """Snappy's blocks have a checksum; zstd's, like those of deflate, may have none."""
    whole = packed(codec)
    begin = len(whole) // 2
    at, sign = data.draw(st.integers(begin, len(whole) - 1)), data.draw(st.integers(1, 255))
    harmed = bytearray(whole)
    harmed[at] ^= sign
    try:
        found = rows_of(batches(bytes(harmed)))
    except DataError:
        return
    assert len(found) == len(ROWS)
    assert codec == "zstandard" or found == ROWS


@pytest.mark.parametrize("codec", WRITTEN)
def test_blocks_take_no_more_memory_than_they_hold(codec: str) -> None:
    """Nor room of addresses: the system refuses new processes to one that has set too much aside."""
    before = _addresses()
    for _ in range(8):
        assert rows_of(batches(packed(codec))) == ROWS
    assert _addresses() - before < 1 << 10


def _addresses() -> int:
    """Megabytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() >> 20


@given(st.integers(4, 540), st.sampled_from(sorted(WRITTEN)))
def test_a_cut_file_gives_whole_blocks_or_an_error(size: int, codec: str) -> None:
    try:
        found = rows_of(batches(packed(codec)[:size]))
    except DataError:
        return
    assert found == ROWS[: len(found)]


def batches(data: bytes) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return list(format_named("avro", {}).batches(io.BytesIO(data), Asked(stream_of("x"), "x", pool), None))


def test_what_is_no_avro_file_goes_through_as_it_is() -> None:
    assert unpacked(io.BytesIO(b"not at all")).read(100) == b"not at all"

"""Readings as line protocol."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.inputs import Reading
from gateway.stores.influxdb import line

READINGS = st.builds(
    Reading,
    tank=st.sampled_from(["a", "b"]),
    device=st.sampled_from(["k7f3q5", "odd one"]),
    era=st.sampled_from(["m4xq2lzt", "aaaaaaaa"]),
    boot=st.sampled_from([1, 2, 1001]),
    seq=st.sampled_from([7, 8, 1008]),
    channel=st.integers(0, 1),
    received=st.sampled_from([1795212000.0, 1795212000.25]),
    estimated=st.booleans(),
    i=st.sampled_from([0, 1, 999, 1000]),
    at=st.sampled_from([1795211940.0, 1795211940.5, 1795212000.0, 0.0, 0.75, -60.0, -9e15]),
    quantity=st.sampled_from(["mm", "g"]),
    value=st.sampled_from([None, 412, -3]),
    spread=st.sampled_from([None, 0, 4]),
    valid=st.sampled_from([None, 7]),
    tried=st.sampled_from([None, 7]),
    temperature_dc=st.sampled_from([None, 112]),
    volume_l=st.sampled_from([None, 0.0, 857.28]),
    sd_l=st.sampled_from([None, 6.512]),
    fault=st.sampled_from([None, "no_echo", 'odd "text"']),
)


def test_a_reading_is_one_line_with_its_tags_in_order() -> None:
    reading = Reading(
        tank="north-1", device="k7f3q5", era="m4xq2lzt", boot=1002, seq=21, channel=0,
        received=1795212000.25, estimated=False, i=3, at=1795211940.0, quantity="mm", value=412,
        spread=4, valid=6, tried=7, temperature_dc=-12, volume_l=736.704, sd_l=6.512,
    )  # fmt: skip
    assert line.reading_line(reading, "t1rid", "s1rid") == (
        "reading,ch=0,device=k7f3q5,site=s1rid,tank=t1rid "
        'at=1795211940.0,received=1795212000.25,era="m4xq2lzt",boot=1002i,seq=21i,estimated=f,'
        'i=3i,quantity="mm",value=412i,spread=4i,valid=6i,tried=7i,temperature_dc=-12i,'
        "volume_l=736.704,sd_l=6.512 1795211940002021003"
    )


@given(READINGS)
def test_a_line_ends_with_its_timestamp_in_nanoseconds(reading: Reading) -> None:
    made = line.reading_line(reading, "rid", "site")
    assert int(made.rsplit(" ", 1)[1]) == line.key_ns(reading)


@given(READINGS)
def test_a_value_that_is_none_is_no_field(reading: Reading) -> None:
    made = line.reading_line(reading, "rid", "site")
    for name in (
        "value",
        "spread",
        "valid",
        "tried",
        "temperature_dc",
        "volume_l",
        "sd_l",
        "fault",
    ):
        value = getattr(reading, name)
        assert (f",{name}=" in made) == (value is not None)
        if isinstance(value, int | float):
            assert f",{name}={value!r}{'i' if isinstance(value, int) else ''}" in made

"""Links and their chips: what goes over the wires, from recorded answers."""

from drivers import axp2101, gnss, sim7080g
from lib import wifi

# Bytes as receivers send them; the checksums are theirs (NMEA 0183).
GGA = b"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r"
RMC = b"$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A\r"


class Bus:
    """Registers on I2C that remember every write."""

    def __init__(self, chip_id=0x4A):
        self.held = bytearray(256)
        self.held[0x03] = chip_id
        self.held[0x80] = 0x1F
        self.held[0x90] = 0xFF
        self.held[0x91] = 0x01
        self.writes = []

    def readfrom_mem(self, address, register, count):
        assert address == 0x34
        return bytes(self.held[register : register + count])

    def writeto_mem(self, address, register, data):
        self.held[register] = data[0]
        self.writes.append((register, data[0]))


def test_every_rail_but_the_processors_is_off_asleep():
    bus = Bus()
    axp2101.AXP2101(bus).rest()
    assert (bus.held[0x80], bus.held[0x90], bus.held[0x91]) == (0x01, 0x00, 0x00)
    assert bus.held[0x69] == 0x05  # charge light: by hand, off


def test_a_rail_gets_its_voltage_before_it_is_switched_on():
    bus = Bus()
    bus.held[0x80] = 0x01
    axp2101.AXP2101(bus).on("dc3", 3000)
    assert bus.writes == [(0x84, 102), (0x80, 0x05)]


def test_voltages_are_the_datasheets_codes():
    assert axp2101.voltage_code("dc5", 3300) == 19
    assert axp2101.voltage_code("bldo1", 3300) == 28
    assert axp2101.voltage_code("dc3", 3400) == 106
    try:
        axp2101.voltage_code("bldo2", 3600)
    except axp2101.AXP2101Error as error:
        assert "bldo2" in str(error) and "3600" in str(error)
    else:
        raise AssertionError("accepted")


def test_another_chip_at_the_address_is_refused():
    try:
        axp2101.AXP2101(Bus(0x03))
    except axp2101.AXP2101Error as error:
        assert "0x03" in str(error)
    else:
        raise AssertionError("accepted")


def test_the_cells_voltage_is_13_bits():
    bus = Bus()
    bus.held[0x34], bus.held[0x35] = 0xEF, 0x93  # the three high bits mean something else
    assert axp2101.AXP2101(bus).battery_mv() == 3987


def test_a_position_is_integers_from_the_sentence():
    fields = gnss.sentence(GGA)
    assert gnss.position(fields) == (4811730, 1151667, 9)  # 48 deg 07.038, 11 deg 31.000
    assert gnss.accuracy_m(9) == 3 and gnss.accuracy_m(10) == 3 and gnss.accuracy_m(11) == 4


def test_south_and_west_are_negative():
    assert gnss.degrees_e5(b"3324.60000", b"S", 2) == -3341000
    assert gnss.degrees_e5(b"00030.0", b"W", 3) == -50000
    assert gnss.degrees_e5(b"0003", b"W", 3) is None


def test_a_wrong_checksum_a_torn_line_and_noise_are_no_sentence():
    assert gnss.sentence(GGA.replace(b"*47", b"*46")) is None
    assert gnss.sentence(GGA[10:]) is None
    assert gnss.sentence(b"\xff\x00garbage" + GGA) is not None
    assert gnss.sentence(b"$*00") is None


def test_no_fix_and_a_poor_one_are_none():
    assert gnss.position(b"GNGGA,1,,,,,0,0,,,M,,M,,".split(b",")) is None
    assert gnss.position(b"GNGGA,1,4807.038,N,01131.000,E,1,03,25.1,,M".split(b",")) is None
    assert gnss.position(b"GNGGA,1,9907.038,N,01131.000,E,1,03,1.0,,M".split(b",")) is None


def test_the_time_comes_of_a_valid_rmc_only():
    fields = gnss.sentence(RMC)
    assert gnss.moment_s(fields) == 3_920_186_119  # 2094-03-23: two digits are this century
    fields[2] = b"V"
    assert gnss.moment_s(fields) is None


class Line:
    """A UART that gives its bytes a few at a time."""

    def __init__(self, data):
        self._data = data

    def read(self):
        part, self._data = self._data[:37], self._data[37:]
        return part or None


def test_the_best_fix_within_the_bound_is_taken():
    poor = b"$GNGGA,123518,4807.100,N,01131.100,E,1,04,6.0,545.4,M,46.9,M,,"
    total = 0
    for byte in poor[1:]:
        total ^= byte
    data = b"\n".join((b"", poor + b"*%02X" % total, b"noise", GGA, RMC, b""))
    fix = gnss.GNSS(Line(data)).fix(500)
    assert (fix.lat, fix.lon, fix.acc, fix.unix_s) == (4811730, 1151667, 3, 3_920_186_119)


def test_no_satellite_is_no_fix():
    assert gnss.GNSS(Line(b"$GPGGA,123519,,,,,0,00,,,M,,M,,*5E\n")).fix(60) is None


def test_the_networks_clock_is_unix_time_with_its_zone():
    assert sim7080g.clock_s([b'+CCLK: "26/11/25,22:00:00+04"']) == 1_795_640_400
    assert sim7080g.clock_s([b'+CCLK: "26/11/25,17:00:00-16"']) == 1_795_640_400
    assert sim7080g.clock_s([b'+CCLK: "80/01/06,00:00:12+00"']) is None
    assert sim7080g.clock_s([b'+CCLK: "xx/01/06,00:00:12+00"']) is None


def test_registration_and_signal_are_read():
    assert sim7080g.registration([b"+CEREG: 0,5"]) == 5
    assert sim7080g.registration([b"noise"]) == -1
    assert sim7080g.signal_dbm([b"+CSQ: 18,99"]) == -77
    assert sim7080g.signal_dbm([b"+CSQ: 99,99"]) == 0


class Station:
    """A Wi-Fi station that finds some networks and can join one of them."""

    def __init__(self, networks, joinable, known=None):
        self.tried = []
        self.mac = None
        self._networks, self._joinable = networks, joinable

    def isconnected(self):
        return bool(self.tried) and self.tried[-1] == self._joinable

    def config(self, mac):
        self.mac = mac

    def scan(self):
        return [(name.encode(), b"", 1, rssi, 3, False) for name, rssi in self._networks]

    def connect(self, ssid, password):
        self.tried.append(ssid)

    def disconnect(self):
        pass


NETWORKS = [("weak", "a"), ("hidden", "b"), ("strong", "c")]


def test_the_strongest_known_network_is_tried_first_and_a_hidden_one_last():
    station = Station([("weak", -80), ("foreign", -30), ("strong", -50)], "hidden")
    wifi.Wifi(station, NETWORKS, b"\x02abcde").join(90)
    assert station.tried == ["strong", "weak", "hidden"] and station.mac == b"\x02abcde"


def test_no_network_is_an_error_within_the_bound():
    station = Station([], None)
    try:
        wifi.Wifi(station, NETWORKS, b"\x02abcde").join(60)
    except OSError as error:
        assert "3" in str(error)
    else:
        raise AssertionError("joined")


def test_an_address_is_unicast_and_locally_administered():
    for first in range(256):
        address = wifi.address(bytes((first, 1, 2, 3, 4, 5, 6)))
        assert len(address) == 6 and address[0] & 0x03 == 0x02

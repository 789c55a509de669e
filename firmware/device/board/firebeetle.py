"""FireBeetle 2 ESP32-E (DFR0654): 10 uA asleep, battery divider and charger on the board.

Only this file, ``boot.py`` and ``main.py`` touch ``machine``, ``network`` and ``esp32``.
"""

import time

import esp32
import machine
import network
from drivers.presence import LevelPin
from lib import unload
from micropython import const

PINS = {
    "sensor_rx": 16,  # from the A02YYUW's TX; a JSN-SR04T's ECHO/TX
    "sensor_tx": 17,  # to its RX: left high selects processed values; a JSN-SR04T's TRIG/RX
    "sensor_power": 25,  # gate of the switched 3.3 V rail, high is on; a probe's 24 V too
    "hx711_data": 4,
    "hx711_clock": 26,  # held high over 60 us powers the chip down
    "motion": 13,  # LIS3DH INT1, high while it moves; an RTC pin, wakes from deep sleep
    "tilt": 14,  # LIS3DH INT2, high while off its rest position; an RTC pin
    "i2c_sda": 21,
    "i2c_scl": 22,
    "lid": 35,  # reed or phototransistor to ground, pull-up outside; an RTC pin
    "battery": 34,  # on-board divider, ADC1 (ADC2 is lost while Wi-Fi is on)
}

_BATTERY_DIVIDER = const(2)  # 1 M over 1 M
_SENSOR_UART = const(2)
_SENSOR_BAUD = const(9600)
WATCHDOG_MS = 120_000  # as boot.py set it
_RING_LABEL = const("ring")
_HOST_NAME = const("host")  # for DHCP; MicroPython's default would reveal what it is

_CAUSES = {
    machine.PWRON_RESET: "power",  # a brown-out shows as this too on the ESP32
    machine.HARD_RESET: "power",
    machine.WDT_RESET: "watchdog",
    machine.DEEPSLEEP_RESET: "wake",
    machine.SOFT_RESET: "soft",
}

# The ESP32 port counts from 2000, the unix port from 1970.
_EPOCH = 946_684_800 if time.gmtime(0)[0] == 2000 else 0

_DRIVERS = {
    "a02yyuw": "a02yyuw",
    "jsn-sr04t": "jsn_sr04t",
    "probe": "ads1115",
    "hx711": "hx711",
}


def off(step, *arguments):
    """Run one step of switching off; the others, and the sleep, follow whatever it raises."""
    try:
        step(*arguments)
    except Exception as error:  # noqa: BLE001 - radios and buses raise classes of any kind
        print(repr(error))


class Board:
    """The hardware that the node uses: every pin, radio and clock by its meaning.

    Another board of the family is a subclass with its own pins and power supplies.
    """

    pins = PINS

    def __init__(self):
        self.motion = LevelPin(self.line("motion"))
        self.tilt = LevelPin(self.line("tilt"))
        self.lid = LevelPin(self.line("lid"))
        self._wlan = None
        self._link = None
        self._loaded = ""
        self.sensor_off()

    def cause(self):
        """The cause of this start: ``wake`` from deep sleep, else ``power watchdog soft``."""
        return _CAUSES.get(machine.reset_cause(), "power")

    def woke_by_pin(self):
        """Whether motion, tilt or the lid ended the sleep."""
        return machine.wake_reason() in (machine.EXT1_WAKE, machine.EXT0_WAKE)

    def rtc_s(self):
        """The board's clock in Unix seconds. It also runs in deep sleep, +-2 %."""
        return int(time.time()) + _EPOCH

    def set_rtc(self, unix_s):
        """Step the board's clock: TLS checks certificates' dates against it."""
        year, month, day, hour, minute, second = time.gmtime(unix_s - _EPOCH)[:6]
        machine.RTC().datetime((year, month, day, 0, hour, minute, second, 0))

    def ring_device(self):
        """The flash partition of the ring: NOR flash in sectors of 4096 bytes."""
        found = esp32.Partition.find(esp32.Partition.TYPE_DATA, label=_RING_LABEL)
        if not found:
            raise OSError(
                "no flash partition labelled %r: flash firmware/partitions.csv" % _RING_LABEL
            )
        return found[0]

    def nvs(self):
        """Named values on flash, apart from builds and the ring."""
        return esp32.NVS("noria")

    def prepare(self, config):
        """Load the driver that ``sensor`` needs, while the heap is not fragmented."""
        self._loaded = "drivers." + _DRIVERS[config.sensor]
        __import__(self._loaded)

    def unload_driver(self):
        """Unload the sensor's driver: measuring is over in this wake."""
        unload(self._loaded, "drivers.frames")

    def sensor(self, config):
        """The level sensor that the configuration names, powered; its driver creates it."""
        self.prepare(config)
        self._sensor_power(1)
        return __import__(self._loaded, None, None, ("fitted",)).fitted(self, config)

    def uart(self):
        """The sensor's serial port."""
        tx, rx = machine.Pin(self.pins["sensor_tx"]), machine.Pin(self.pins["sensor_rx"])
        return machine.UART(_SENSOR_UART, _SENSOR_BAUD, tx=tx, rx=rx, timeout=0)

    def i2c(self):
        """The bus of the accelerometer and of a probe's converter."""
        scl, sda = machine.Pin(self.pins["i2c_scl"]), machine.Pin(self.pins["i2c_sda"])
        return machine.I2C(0, scl=scl, sda=sda)

    def line(self, name, out=False):
        """A pin of PINS that is read, or driven, low at first."""
        if out:
            return machine.Pin(self.pins[name], machine.Pin.OUT, value=0)
        return machine.Pin(self.pins[name], machine.Pin.IN)

    def pulse_us(self, pin, most_us):
        """How long ``pin`` is high, as ``machine.time_pulse_us``."""
        return machine.time_pulse_us(pin, 1, most_us)

    def quiet(self):
        """(disable, enable) interrupts, for pulses that must not be longer than they should."""
        return machine.disable_irq, machine.enable_irq

    def sensor_off(self):
        """Cut the sensor's power; a failure is printed, and ``sleep`` repeats it."""
        off(self._sensor_power, 0)

    def _sensor_power(self, on):
        machine.Pin(self.pins["sensor_power"], machine.Pin.OUT, value=on)

    def accelerometer(self):
        """The LIS3DH, which also watches in deep sleep; None if it does not answer."""
        from drivers.lis3dh import LIS3DH, LIS3DHError

        try:
            return LIS3DH(self.i2c())
        except LIS3DHError:
            return None

    def battery_mv(self):
        """Millivolts of the cell."""
        from drivers.battery import Battery

        adc = machine.ADC(machine.Pin(self.pins["battery"]), atten=machine.ADC.ATTN_11DB)
        return Battery(adc, _BATTERY_DIVIDER).read_mv()

    def wlan(self):
        """The Wi-Fi station, switched on; its noise gives the random generator entropy."""
        if self._wlan is None:
            self._wlan = network.WLAN(network.WLAN.IF_STA)
            self._wlan.active(True)
        return self._wlan

    def link(self, config, address):
        """The way to the broker that ``config`` names, not joined yet.

        ``address``: the six bytes of hardware address to use. Raises OSError when this board has
        no such radio.
        """
        if config.lte:
            raise OSError("lte: this board has no modem: take a board that has, or wifi")
        from lib import wifi

        network.hostname(_HOST_NAME)
        # Not kept: the station is switched off by itself, and the module is unloaded before.
        return wifi.Wifi(self.wlan(), config.wifi, address)

    def receiver(self, config):
        """The satellite receiver, powered; None where there is none."""
        return None

    def receiver_off(self):
        """Cut the receiver's power."""

    def radio_off(self):
        """Switch the radios off before sleep."""
        if self._link is not None:
            off(self._link.off)
            self._link = None
        if self._wlan is not None:
            off(self._wlan.active, False)
            self._wlan = None

    def network_time(self, host, timeout_s):
        """Unix seconds from NTP, or None: the network may block it."""
        import ntptime

        ntptime.host = host
        ntptime.timeout = timeout_s
        try:
            return int(ntptime.time()) + _EPOCH
        except Exception as error:  # noqa: BLE001 - of any class: the ack brings the time
            print(repr(error))
            return None

    def feed(self):
        """Restart the watchdog after progress."""
        machine.WDT(timeout=WATCHDOG_MS).feed()

    def sleep(self, seconds, watch):
        """Deep sleep until one of the pins named by ``watch`` (a tuple of PINS) changes. No return.

        Motion and tilt share EXT1, which has *any high* and *all low* only: a pin that is high
        now is left out, or it would wake the board again at once. The lid uses EXT0, armed for the
        opposite of its level now.
        """
        self.sensor_off()
        off(self.radio_off)
        off(self.arm, watch)
        machine.deepsleep(max(1, int(seconds * 1000)))

    def arm(self, watch):
        """Let the pins named by ``watch`` end the next sleep, each for a change of its level."""
        shared = [
            pin for name, pin in (("motion", self.motion), ("tilt", self.tilt)) if name in watch
        ]
        quiet = [pin.pin for pin in shared if not pin.active()]
        if quiet:
            esp32.wake_on_ext1(tuple(quiet), esp32.WAKEUP_ANY_HIGH)
        if "lid" in watch:
            opposite = esp32.WAKEUP_ALL_LOW if self.lid.active() else esp32.WAKEUP_ANY_HIGH
            esp32.wake_on_ext0(self.lid.pin, opposite)

    def reboot(self):
        """Reset. No return."""
        machine.reset()

"""The shims behave as documented for the ESP32, on both interpreters."""

import ast

from firmware.virtual.host import pins
from tests.firmware.virtual.bench import PINS, Bench

PIN = pins.read(PINS)


def test_time_counts_from_2000_and_starts_there_without_power(bench: Bench) -> None:
    bench.speed = 5.0  # its first minute is not over before a busy machine has started it
    lines = bench.play(
        "import machine, time\nprint(time.gmtime(0), time.time() < 60)\n"
        "print(time.mktime((2026, 11, 23, 12, 30, 15, 0, 0)), time.gmtime(848752215)[:6])\n"
        "march = time.mktime((2028, 3, 1, 0, 0, 0, 0, 0))\n"
        "print(time.mktime((2028, 2, 29, 0, 0, 0, 0, 0)) - march)\n"
        "machine.deepsleep(60000)"
    )
    assert lines == [
        "(2000, 1, 1, 0, 0, 0, 5, 1) True",
        "848752215 (2026, 11, 23, 12, 30, 15)",
        "-86400",
    ]


def test_deep_sleep_halts_so_that_finally_does_not_run(bench: Bench) -> None:
    lines = bench.play(
        "import machine\ntry:\n    machine.deepsleep(60000)\nfinally:\n    print('finally')"
    )
    assert lines == []
    assert bench.names() == ["wake", "sleep"]


def test_a_set_clock_runs_on_through_deep_sleep(bench: Bench) -> None:
    lines = bench.play(
        "import machine, time\n"
        "if machine.reset_cause() == machine.PWRON_RESET:\n"
        "    machine.RTC().datetime((2026, 11, 23, 0, 10, 0, 0, 0))\n"
        "    machine.deepsleep(600000)\n"
        "print(machine.wake_reason() == machine.TIMER_WAKE, time.gmtime()[:4])\n"
        "print(590 < time.time() - time.mktime((2026, 11, 23, 10, 0, 0, 0, 0)) < 3600)\n"
        "machine.deepsleep(60000)",
        until=2,
    )
    assert lines == ["True (2026, 11, 23, 10)", "True"]


def test_rtc_memory_survives_sleep_and_reset_but_not_lost_power(bench: Bench) -> None:
    script = (
        "import machine\nheld = machine.RTC().memory()\nprint(machine.reset_cause(), held)\n"
        "machine.RTC().memory(held + b'x')\n"
        "machine.reset() if len(held) == 1 else machine.deepsleep(60000)"
    )
    assert bench.play(script, until=3) == ["1 b''", "4 b'x'", "2 b'xx'"]
    assert bench.play(script) == ["1 b''"]


def test_an_unfed_watchdog_resets_the_chip(bench: Bench) -> None:
    script = (
        "import machine\nprint(machine.reset_cause())\n"
        "if machine.reset_cause() == machine.WDT_RESET:\n    machine.deepsleep(60000)\n"
        "while True:\n    pass"
    )
    lines = bench.play(script, until=2, boot="import machine\nmachine.WDT(timeout=300)")
    assert lines == ["1", "3"]
    assert bench.names() == ["wake", "watchdog", "wake", "sleep"]


def test_a_crash_leaves_the_chip_awake_at_its_prompt(bench: Bench) -> None:
    bench.play("raise ValueError('no such thing')")
    assert bench.names() == ["wake", "stuck"]
    assert "no such thing" in bench.events[-1]["console"]


def test_motion_ends_deep_sleep_when_the_pin_is_armed(bench: Bench) -> None:
    lines = bench.play(
        "import esp32, machine\n"
        "print(machine.wake_reason())\n"
        f"esp32.wake_on_ext1((machine.Pin({PIN['motion']}),), esp32.WAKEUP_ANY_HIGH)\n"
        "machine.deepsleep(0)",
        until=2,
        act=lambda fleet, board: board.world.seize(after_s=3600),
    )
    assert lines[:2] == ["0", "3"]


def test_the_station_connects_in_its_time_or_finds_no_access_point(bench: Bench) -> None:
    script = (
        "import machine, network, time\n"
        "wlan = network.WLAN(network.WLAN.IF_STA)\n"
        "wlan.active(True)\nwlan.connect('site', 'secret')\nstart = time.ticks_ms()\n"
        "while wlan.status() == network.STAT_CONNECTING:\n    time.sleep_ms(20)\n"
        "took = time.ticks_diff(time.ticks_ms(), start)\n"
        "print(wlan.isconnected(), 1000 <= took <= 20000)\n"
        "machine.deepsleep(60000)"
    )
    lines = bench.play(script, until=2, act=lambda fleet, board: fleet.network_out(""))
    assert lines == ["True True", "False True"]


def test_ultrasonic_frames_by_uart_have_the_distance(bench: Bench) -> None:
    lines = bench.play(
        "import machine, time\n"
        f"machine.Pin({PIN['sensor_power']}, machine.Pin.OUT, value=1)\n"
        f"tx, rx = machine.Pin({PIN['sensor_tx']}), machine.Pin({PIN['sensor_rx']})\n"
        "uart = machine.UART(2, 9600, tx=tx, rx=rx, timeout=0)\n"
        "received = b''\n"
        "while len(received) < 40:\n    received += uart.read() or b''\n    time.sleep_ms(2)\n"
        "print([received[i + 1] * 256 + received[i + 2] for i in range(0, 40, 4)\n"
        "       if sum(received[i:i + 3]) & 255 == received[i + 3] and received[i] == 255])\n"
        "machine.deepsleep(60000)"
    )
    distances = ast.literal_eval(lines[0])
    assert len(distances) == 10
    # 1100 mm above the floor, 700 L in an IBC are 653 mm high.
    assert 430 <= sorted(distances)[5] <= 460


def test_hx711_shifts_out_the_weight_on_the_scale(bench: Bench) -> None:
    bench.config = {"sensor": "hx711", "zero": 1000, "counts_per_kg": 20000}
    lines = bench.play(
        "import machine, time\n"
        f"data = machine.Pin({PIN['hx711_data']}, machine.Pin.IN)\n"
        f"clock = machine.Pin({PIN['hx711_clock']}, machine.Pin.OUT, value=0)\n"
        "def read():\n"
        "    while data.value():\n        time.sleep_ms(1)\n"
        "    word = 0\n"
        "    for _ in range(24):\n"
        "        clock.value(1)\n        clock.value(0)\n        word = word << 1 | data.value()\n"
        "    clock.value(1)\n    clock.value(0)\n    return word - ((word & 0x800000) << 1)\n"
        "print([(read() - 1000) // 20 for _ in range(3)])\nmachine.deepsleep(60000)"
    )
    grams = ast.literal_eval(lines[0])
    assert len(grams) == 3
    # Clipped: 712 kg at 20,000 counts a kilogram exceed 24 bits, as on the real converter.
    assert grams == [(0x7FFFFF - 1000) // 20] * 3


_PULSES = (
    "import machine, time\n"
    f"data = machine.Pin({PIN['hx711_data']}, machine.Pin.IN)\n"
    f"clock = machine.Pin({PIN['hx711_clock']}, machine.Pin.OUT, value=0)\n"
    "def pulse():\n"
    "    state = machine.disable_irq()\n    start = time.ticks_us()\n"
    "    clock.value(1)\n    busy()\n    clock.value(0)\n"
    "    took = time.ticks_diff(time.ticks_us(), start)\n"
    "    machine.enable_irq(state)\n    return took\n"
    "while data.value():\n    time.sleep_ms(1)\n"
    "word, took = 0, []\n"
    "for _ in range(24):\n    took.append(pulse())\n    word = word << 1 | data.value()\n"
    "took.append(pulse())\n"
    "print(min(took), max(took), word)\nmachine.deepsleep(60000)"
)


def test_a_busy_host_neither_lengthens_a_pulse_nor_powers_the_hx711_down(bench: Bench) -> None:
    bench.config = {"sensor": "hx711", "zero": 1000, "counts_per_kg": 20000}
    lines = bench.play("def busy():\n    for _ in range(20000):\n        pass\n" + _PULSES)
    assert lines == [f"10 10 {0x7FFFFF}"]


def test_a_busy_host_does_not_hide_that_dout_rises_after_the_last_pulse(bench: Bench) -> None:
    bench.config = {"sensor": "hx711", "zero": 1000, "counts_per_kg": 20000}
    pause = (
        "start = time.ticks_ms()\nwhile time.ticks_diff(time.ticks_ms(), start) < 150:\n    pass\n"
    )
    look = f"{pause}print(data.value())\n"
    script = _PULSES.replace("print(", f"{look}print(")
    lines = bench.play("def busy():\n    pass\n" + script)
    assert lines[0] == "1"


def test_a_pulse_that_is_too_long_by_the_model_powers_the_hx711_down(bench: Bench) -> None:
    bench.config = {"sensor": "hx711", "zero": 1000, "counts_per_kg": 20000}
    lines = bench.play("import time\ndef busy():\n    time.sleep_us(60)\n" + _PULSES)
    shortest, longest, word = map(int, lines[0].split())
    assert shortest >= 70 and longest < 100 and word != 0x7FFFFF


def test_the_accelerometer_answers_by_its_registers(bench: Bench) -> None:
    lines = bench.play(
        "import machine, struct\n"
        f"scl, sda = machine.Pin({PIN['i2c_scl']}), machine.Pin({PIN['i2c_sda']})\n"
        "bus = machine.I2C(0, scl=scl, sda=sda)\n"
        "x, y, z = struct.unpack('<hhh', bus.readfrom_mem(0x18, 0x28 | 0x80, 6))\n"
        "print(bus.readfrom_mem(0x18, 0x0F, 1), abs(z // 16 - 1000) < 40)\n"
        "try:\n    bus.readfrom_mem(0x40, 0, 1)\nexcept OSError as error:\n"
        "    print(error.args[0])\nmachine.deepsleep(60000)"
    )
    assert lines == ["b'3' True", "19"]


def test_network_time_sets_the_clock_only_over_a_link(bench: Bench) -> None:
    lines = bench.play(
        "import machine, network, ntptime, time\n"
        "try:\n    ntptime.settime()\nexcept OSError as error:\n    print(error.args[0])\n"
        "wlan = network.WLAN(0)\nwlan.active(True)\nwlan.connect('site', '')\n"
        "while not wlan.isconnected():\n    time.sleep_ms(50)\n"
        "ntptime.settime()\nprint(time.gmtime()[0] >= 2026)\nmachine.deepsleep(60000)"
    )
    assert lines == ["116", "True"]

"""The names of MicroPython's own module that the firmware uses, for CPython."""


def const(value):
    """A constant; MicroPython's compiler folds it."""
    return value


def native(function):
    """Compiled to machine code on the device."""
    return function


viper = native


def mem_info(verbose=None):
    """CPython has no such heap."""

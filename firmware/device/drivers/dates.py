"""Dates of modems and receivers as Unix time."""


def unix_of(year, month, day, hour, minute, second):
    """Unix seconds of a UTC date in the Gregorian calendar."""
    shifted = year - (1 if month <= 2 else 0)  # years from March: the leap day comes last
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    days = shifted * 365 + shifted // 4 - shifted // 100 + shifted // 400 + day_of_year - 719468
    return days * 86400 + hour * 3600 + minute * 60 + second

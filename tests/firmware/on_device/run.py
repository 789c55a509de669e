"""Runs every ``test_*`` function of the module named by the first argument, on any interpreter.

Prints one line of JSON for each: name and the error, if any.
"""

import io
import json
import sys


def main():
    module = __import__(sys.argv[1])
    for name in sorted(dir(module)):
        if name.startswith("test_"):
            print(json.dumps({"name": name, "error": outcome(getattr(module, name))}))


def outcome(test):
    """None, or the text of the exception that the test raised."""
    try:
        test()
    except Exception as error:  # noqa: BLE001 - the outcome of a test is any exception
        text = io.StringIO()
        sys.print_exception(error, text)
        return text.getvalue()
    return None


main()

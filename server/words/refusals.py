"""Why a device did not take a command, in words.

The codes are the firmware's; ``tests/structure/test_node_words.py`` compares.
"""

from collections.abc import Mapping

from server.words.language import PageLanguage, mark

REFUSALS: Mapping[str, str] = {
    "interval_s": mark("the time between readings"),
    "report_s": mark("the time between reports"),
    "change_mm": mark("the change of level"),
    "change_g": mark("the change of weight"),
    "move_from": mark("the beginning of the move"),
    "move_to": mark("the end of the move"),
    "set": mark("a setting that it does not have"),
    "do": mark("an order that it does not have"),
    "down": mark("it could not be read"),
    "update": mark("the release could not be read"),
    "update_key": mark("it takes no releases: it was flashed without a release key"),
    "update_old": mark("the release is older than what it may take"),
    "update_sig": mark("the release is not signed by its key"),
    "update_version": mark("the release has another number than was said"),
    "update_board": mark("the release is for another board"),
    "update_size": mark("the release has another size than was said"),
    "update_hash": mark("a file of the release is damaged"),
    "update_space": mark("the release does not fit its flash"),
    "update_memory": mark("the release needs more memory than it has"),
    "update_back": mark("the release did not work, so the one before runs again"),
    "tls": mark("it has not tried the broker's new certificate yet"),
    "tls_back": mark("by its new port or certificate it did not reach the broker: it went back"),
    "tls_bad": mark("the broker's new certificate could not be read or kept"),
    "manifest": mark("the release's list of files is not sound"),
}
"""Why a command was not taken, by the code of the answer."""


def refusal(language: PageLanguage, code: str) -> str:
    """Why a command was not taken; the code itself where it is a new one."""
    return language.text(REFUSALS[code]) if code in REFUSALS else code

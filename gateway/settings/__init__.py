"""Every setting: the table, the checks, and the file that they come from."""

from gateway.settings.check import listen_address
from gateway.settings.file import find, read
from gateway.settings.table import TABLE, Setting, Settings

__all__ = ["TABLE", "Setting", "Settings", "find", "listen_address", "read"]

"""Errors whose message a person reads: it names the value and the remedy."""


class NoriaError(Exception):
    """Base of all errors that end a command with a message instead of a stack trace."""


class SettingError(NoriaError):
    """A setting is wrong; the message names it, its value and the remedy."""


class RegistryError(NoriaError):
    """A registry file or row is wrong; the message names the table, the row and the field."""


class JournalError(NoriaError):
    """The journal cannot be trusted or written; the message names the entry and the remedy."""


class ArchiveError(JournalError):
    """An archive segment is missing, damaged or cannot be written; the message names the file.

    ``last``: the last entry that cannot be read because of it, 0 where that is not known.
    """

    def __init__(self, message: str, last: int = 0) -> None:
        super().__init__(message)
        self.last = last


class DatabaseError(NoriaError):
    """The relational database cannot be reached or used; the message names it and the remedy."""


class StoreError(NoriaError):
    """The reading store refused or cannot be reached."""


class BrokerError(NoriaError):
    """The broker cannot be started or reached."""


class ReleaseError(NoriaError):
    """A firmware release cannot be built, read or trusted."""


class OrderError(NoriaError):
    """A command for a device is invalid; the message names the value and what it may be."""


class CertificateError(NoriaError):
    """A certificate or CA cannot be made or read; the message names the file and the remedy."""

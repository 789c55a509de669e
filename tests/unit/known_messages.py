"""All that a gateway knows of its messages, in a list: the slow and plain implementation."""

from dataclasses import dataclass, field

from gateway.domain.chain import AckLine, ChainLink, Identity, advance
from gateway.domain.envelope import chain_hash_of
from gateway.domain.verdict import MessageIdentity, MessageKey, Verdict, VerdictName, judge


@dataclass
class KnownInMemory:
    """``KnownMessages`` and the eras' lines over the messages registered so far."""

    journaled: list[tuple[MessageKey, VerdictName]] = field(
        default_factory=list[tuple[MessageKey, VerdictName]]
    )
    lines: dict[tuple[str, str], AckLine] = field(default_factory=dict[tuple[str, str], AckLine])

    def register(self, message: MessageKey) -> Verdict:
        """Judge one message, keep it unless it is a duplicate, and move its era's line."""
        verdict = judge(message, self)
        if verdict.name == "duplicate":
            return verdict
        self.journaled.append((message, verdict.name))
        if message.identity:
            era = (message.device, message.identity[0])
            line = self.lines.setdefault(era, AckLine())
            if verdict.extends_line:
                declared = line.declared(message.old, message.identity[1:])
                self.lines[era] = advance(declared, _Era(self, era)).line
        return verdict

    def has_object(self, message: MessageKey) -> bool:
        return any(m[:2] == message[:2] for m, _ in self.journaled)

    def has_identity(self, device: str, identity: MessageIdentity) -> bool:
        return any((m.device, m.identity) == (device, identity) for m, _ in self.journaled)

    def has_prev(self, device: str, prev: str) -> bool:
        return any((m.device, m.prev) == (device, prev) for m, _ in self.journaled)

    def newest(self, device: str, era: str) -> Identity | None:
        places = [
            (m.identity[1:], name)
            for m, name in self.journaled
            if m.device == device and m.identity and m.identity[0] == era
        ]
        if not places:
            return None
        return max((place for place, name in places if name == "stored"), default=(0, 0))


@dataclass(frozen=True)
class _Era:
    known: KnownInMemory
    era: tuple[str, str]

    def first(self) -> ChainLink | None:
        return self.at((1, 1))

    def at(self, place: Identity) -> ChainLink | None:
        return next((link for link, _ in self._links() if link.place == place), None)

    def after(self, h: str) -> ChainLink | None:
        return min((link for link, prev in self._links() if prev == h), default=None)

    def unlinked(self, place: Identity) -> ChainLink | None:
        found = (link for link, prev in self._links() if link.place == place and prev is None)
        return next(found, None)

    def _links(self) -> list[tuple[ChainLink, str | None]]:
        return [
            (ChainLink(m.identity[1:], chain_hash_of(m.hash)), m.prev)
            for m, name in self.known.journaled
            if m.identity and (m.device, m.identity[0]) == self.era and name != "fork"
        ]

"""The cluster's acks as a gateway's ingest thread sees them: requested here, published elsewhere.

An ack covers the messages of all journals, so the registrar records the saved messages first, and
the leader publishes (``gateway.cluster.acks``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.cluster.leader import LeaderElection
from gateway.cluster.registrar import ListeningFlag, Registrar
from gateway.journal.eras import Era


@dataclass
class AckRequests:
    """Implements ``gateway.ingest.acks.Acks`` for one gateway of several."""

    registrar: Registrar
    flag: ListeningFlag
    election: LeaderElection
    republish: Callable[[], None] | None = None
    """Set while this gateway leads: publishes all acks and live topics. Any thread."""

    @property
    def is_leader(self) -> bool:
        """Whether this gateway is the elected leader."""
        return self.election.holds

    def note_progress(self, listening: bool, committing_since: float | None) -> None:
        """Pass both on to the registrar's thread, from which the merge order has its horizon."""
        self.flag.committing_since = committing_since
        self.flag.listening = listening

    def add(self, eras: Sequence[Era], last_id: int) -> None:
        """Request the acks of these eras once entry ``last_id`` is registered."""
        for era in eras:
            self.registrar.due(era.device, era.era, last_id)

    def publish_due(self) -> bool:
        """False: ``add`` has passed the requests on, and the leader publishes."""
        return False

    def publish_all(self) -> None:
        """Have all acks and live topics published, where this gateway leads."""
        if republish := self.republish:
            republish()

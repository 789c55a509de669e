"""The threads of alerts to persons: one that decides, and one for each service that sends."""

from collections.abc import Sequence

import sqlalchemy as sa

from gateway.alerts.outbox import AlertWording
from gateway.alerts.people.contacts import Keys
from gateway.alerts.people.dispatch import Dispatch
from gateway.alerts.people.notices import NoticeDelivery
from gateway.alerts.people.services import Service
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import Wakeup
from gateway.runtime.worker import Worker


class PersonalAlerts:
    """``wake`` is notified after each commit of the watch."""

    def __init__(
        self, engine: sa.Engine, services: Sequence[Service], keys: Keys, clock: Clock,
        wake: Wakeup, wording: AlertWording,
    ) -> None:  # fmt: skip
        decided = Wakeup()
        names = [service.name for service in services]
        dispatch = Dispatch(engine, clock, wording.language.zone, decided, names)
        self._threads = [Worker("dispatch", dispatch.turn, wake)]
        for service in services:
            delivery = NoticeDelivery(engine, service, keys, clock, wording)
            self._threads.append(Worker(f"notices {service.name}", delivery.turn, decided))

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop after the current message."""
        for thread in self._threads:
            thread.stop()

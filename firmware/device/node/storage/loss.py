"""Counts the readings without an ack that a full flash drops, and the time that they span."""

from node.storage import message_json, records


class Loss:
    """Counts over ``ring``: ``n`` readings, ``s`` seconds between them, gaps within included."""

    def __init__(self, ring):
        self._ring = ring
        self._up = None
        self.n = self.s = 0

    def message(self, head):
        """Count a message without an ack."""
        self.between(head.start, head.end)

    def between(self, start, cut):
        """Count the records from position ``start`` to before ``cut``. Returns how many."""
        counted = 0
        for record in message_json.content(self._ring, start):
            if record.pos >= cut:
                break
            counted += 1
            self._count(record)
        return counted

    def _count(self, record):
        if record.kind == records.EVENT:
            n, s = records.gap_parts(record.payload)  # no ack covers that event: declare it again
            self.n += n
            self.s += s
            return
        up = records.up_of(record)
        if self._up is not None and up > self._up:
            self.s += up - self._up
        self._up = up
        self.n += 1

"""What a full flash drops: counts readings without an ack, and the time that they span."""

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


def drop(queue, cut):
    """All before position ``cut`` leaves the ring: count its readings without an ack."""
    loss, state, whole = Loss(queue.ring), queue.state, None
    for head in queue.messages(queue.ring.oldest):
        if head.start >= cut:
            whole = head
            break
        if not queue.freed(head):
            loss.message(head)
    keep = whole.pos if whole else queue.ring.tail
    state.former = max(state.former, min(keep, state.era_start))
    if keep > state.era_start:
        state.freed = max(state.freed, keep)
    if state.run < keep and not (whole and keep < state.era_start):
        state.resends = 0
        state.run = keep if whole else 0
        state.run_boot, state.run_seq = whole.identity if whole else (0, 0)
    if state.unsealed_count and state.unsealed < cut:
        left = loss.between(state.unsealed, cut)
        state.unsealed, state.unsealed_count = cut, max(0, state.unsealed_count - left)
    state.gap_n += loss.n
    state.gap_s += loss.s

"""Several gateways on one PostgreSQL: each with its own journal, one line, one watch.

Message -> own journal (fsync) -> PUBACK -> ``registrar`` writes a unique row and moves the line
-> the gateway that holds the watch publishes the ack, merges all entries and watches.
"""

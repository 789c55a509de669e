"""Several gateways on one PostgreSQL: a journal each, shared ack lines, one watch.

Message -> own journal (fsync) -> PUBACK -> ``registrar`` writes a unique row and moves the line
-> the leader publishes the ack, merges all entries into one order and runs the watch.
"""

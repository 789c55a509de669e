"""Who is notified of an incident, when, and to whom it escalates. Pure: times are given."""

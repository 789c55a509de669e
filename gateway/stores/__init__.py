"""Reading stores: one port, two implementations (SQLite, InfluxDB), one contract suite."""

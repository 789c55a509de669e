"""Who may come in: accounts, sessions, and the limits on trying passwords."""

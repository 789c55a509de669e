"""What pages and API show, read from the relational database: values, no markup."""

"""What pages and API show, read from database and store: values, without words or markup."""

"""TLS of the private broker: our own CA, its certificates, and which listener uses them."""

"""The way of the clients to a stack on AWS: addresses that are admitted, and a certificate of the run's own."""

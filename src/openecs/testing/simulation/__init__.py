"""What simulations are made of: virtual time, and connections that fail as told."""

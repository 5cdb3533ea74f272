"""How the members of a network that share a secret seal its events. Seals know no connector and no hook."""

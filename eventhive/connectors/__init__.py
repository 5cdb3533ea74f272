"""What carries the events of one network. Connectors import no server and nothing of the gateway."""

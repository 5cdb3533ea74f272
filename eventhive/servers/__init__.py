"""Servers of a hive that run inside a process of ours. They import no connector and nothing of the gateway."""

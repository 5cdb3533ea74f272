"""Boards on a cable of this machine: what they are, their files, their firmware. mpremote and esptool talk to them."""

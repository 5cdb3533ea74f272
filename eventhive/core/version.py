"""The version of EventHive, on both sides of the link; `setup.py` reads it here."""

VERSION = "1.0.0.dev0"

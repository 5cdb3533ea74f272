"""The JSON vectors of tests/vectors, on both interpreters; EVENTHIVE_VECTORS names the folder for compiled tests."""

import json
import os


def load(name):
    """The content of `tests/vectors/<name>.json`."""
    folder = os.getenv("EVENTHIVE_VECTORS") or __file__.rsplit("/", 3)[0] + "/vectors"
    with open("%s/%s.json" % (folder, name)) as file:
        return json.load(file)

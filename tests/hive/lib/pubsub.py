"""The library fastapi-websocket-pubsub 1.x, in an environment of its own: 0.5.0 pins an older one.

`environment()` is its Python, kept between runs in `.venv-pubsub-1` of the checkout; `python tests/hive/lib/pubsub.py`
makes it too. Raises `Unavailable` where it cannot be had.
"""

import sys
from pathlib import Path

from original import Unavailable, made

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / ".venv-pubsub-1"
PACKAGES = ("fastapi-websocket-pubsub==1.0.1", "uvicorn<0.50", "websockets<15")


def environment() -> Path:
    """The Python interpreter of an environment with the library."""
    return made(FOLDER, sys.executable, PACKAGES)


if __name__ == "__main__":
    try:
        print(environment())
    except Unavailable as error:
        sys.exit(str(error))

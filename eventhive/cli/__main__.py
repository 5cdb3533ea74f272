"""`python -m eventhive.cli`: the command `eventhive-cli`, as in EventHive 0.5.0."""

import sys

from .classic import main

sys.exit(main())

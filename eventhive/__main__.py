"""`python -m eventhive`: the command `eventhive`, where the folder of scripts is not on the path."""

import sys

from .cli.main import main

sys.exit(main())

"""The one logger of the package.

It has no handler of its own: warnings and errors reach stderr as long as the program does not configure logging.
"""

import logging

logger = logging.getLogger("eventhive")

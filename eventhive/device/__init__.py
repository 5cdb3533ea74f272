"""Host tools for boards: what goes on a board, and how it gets there. Imports the core and standard tools only."""

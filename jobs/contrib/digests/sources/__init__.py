"""Where the facts of a digest come from: one module for each source."""

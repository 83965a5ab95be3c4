"""How a version is told to people."""

"""How good, and why."""

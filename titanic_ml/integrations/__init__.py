"""Integrations of other systems, imported only when they are enabled."""

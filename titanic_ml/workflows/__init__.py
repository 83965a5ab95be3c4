"""Workflows: each puts stages in order, with the registry, storage and what is announced."""

"""Reporting: report, model card and verdict of a version."""

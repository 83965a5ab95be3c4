"""Bytes and tables, in and out."""

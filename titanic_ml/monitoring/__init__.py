"""Monitoring: log of predictions, profiles, drift, and performance on later labels."""

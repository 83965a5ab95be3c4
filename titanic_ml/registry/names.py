"""Names of the aliases, importable without the store."""

CHAMPION, LATEST = "champion", "latest"

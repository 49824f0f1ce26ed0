"""Who may call: keys, short-lived client secrets, origins, limits, and the line for a place."""

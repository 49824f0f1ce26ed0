"""The benchmark of turn-taking: who is cut off, and how long the others wait."""

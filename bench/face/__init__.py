"""The benchmark of the face: what it costs, whether its lips are right, how it looks."""

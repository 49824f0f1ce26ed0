"""The baked face: one path-traced head, warped and blended on the CPU."""

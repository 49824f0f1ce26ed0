"""What runs inside Blender's Python: the scene and its materials."""

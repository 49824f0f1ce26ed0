"""Text on its way from the language model to a voice."""

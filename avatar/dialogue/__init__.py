"""What is said to the language model, and what it is told to be."""

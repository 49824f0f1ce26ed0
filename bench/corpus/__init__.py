"""The corpus of calls: conversations written as recipes, held with recorded human voices."""

"""Language models, one file per backend."""

"""Training of the miniature bundle: one file a model, one loop for all."""

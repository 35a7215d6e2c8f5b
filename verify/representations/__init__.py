"""Finding 5: what the finetuned 2-layer network's representations say of the context's type; Fig. 8, 16-18."""

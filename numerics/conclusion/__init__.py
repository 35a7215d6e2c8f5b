from numerics.conclusion.decide import decide

"""What follows from the definitions: derivations on an abstract one-hot algebra, with SymPy coefficients."""

"""The checks: for every claim, how a statement is judged and what the derivation says in its place."""

"""`python -m verify.unlearning`: which part of the next-token objective takes the held-out answers away again (see rules.py)."""

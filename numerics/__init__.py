"""What IS: exact populations, the literal network, and what they decide.

Imports nothing of the project outside itself.
"""

"""What the theorem says of one fact table, what the exact computation says, and what the network does."""

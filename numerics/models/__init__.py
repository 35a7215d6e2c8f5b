"""Networks, written as the paper prints them."""

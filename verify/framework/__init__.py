"""The data framework of Section 2: which Div the chains reach, and what their grammar tokens tell of the type."""

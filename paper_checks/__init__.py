"""What papers PRINT: transcribed statements with location, wording and assumptions. Never adjusted to what is true."""

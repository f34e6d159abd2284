"""Does in a trusted application whatever somebody might try there."""

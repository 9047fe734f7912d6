"""The fast engine for big logs: numpy over blocks of bytes, equal in its rows and counts to the line engine."""

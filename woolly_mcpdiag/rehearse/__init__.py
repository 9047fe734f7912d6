"""The rehearsal: the target is taken away while a client calls it, and what the client made of it is recorded."""

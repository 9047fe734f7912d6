"""Load: calls made at a chosen rate or by a chosen number of users, measured and told as events."""

"""Keys, their fingerprints and identifiers, and what is derived from them."""

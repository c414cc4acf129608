"""Keys at rest: a keyring file, and the hardware that can seal its master key."""

"""What happened: entries, Merkle tree, checkpoints, verification."""

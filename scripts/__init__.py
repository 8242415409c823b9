"""What a developer runs: bootstrap, criteria, demo."""

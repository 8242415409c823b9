"""The real programs together."""

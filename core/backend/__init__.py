"""The payment backend."""

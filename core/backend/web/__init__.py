"""Routes, live endpoints, sign-in."""

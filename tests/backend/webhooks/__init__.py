"""The card provider calls back: what is let in, what becomes of it, and what staff see."""

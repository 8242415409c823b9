"""A card provider of our own that speaks iKhokha's contract and moves no money.

For tests, the demo and developers. It keeps everything in memory. Production refuses it.
"""

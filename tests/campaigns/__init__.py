"""Long runs against the real backend that a person starts; small ones of them are tests."""

"""What both sides share, and the two sides without a screen."""

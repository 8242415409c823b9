"""The tests mirror the tree; support is the test kit."""

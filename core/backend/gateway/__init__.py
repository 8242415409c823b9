"""The card provider behind one small interface. Its callback is a hint; its status is the fact."""

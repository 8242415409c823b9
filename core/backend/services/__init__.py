"""The use cases, under the names a newcomer searches for."""

"""The main job without a person: real processes, real sockets, a real window (offscreen)."""

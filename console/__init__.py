"""The desktop console: the only place that knows Qt."""

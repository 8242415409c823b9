"""Event loop, task runner, dialogs, crash window, throttle. qasync lives in this folder alone."""

"""The whole suite: the guards and the criteria; fixtures of a part live in its own folder."""

pytest_plugins = ["tests.support.guards", "tests.support.criteria", "tests.support.fixtures"]

"""The card provider's client and the sandbox, over real sockets."""

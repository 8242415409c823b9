"""What travels: messages, signing, and the feed as a state machine without sockets."""

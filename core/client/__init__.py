"""An officer's side without a screen: api, live feed, outbox, witness, session, keyring."""

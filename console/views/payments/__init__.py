"""The Payments screen: card payments, late money, refunds, callbacks and alerts."""

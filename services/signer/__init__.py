"""Keys, signatures and the signing ledger."""

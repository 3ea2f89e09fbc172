"""Outgoing webhooks: from the ledger to a receiver, and everything that can go wrong on the way."""

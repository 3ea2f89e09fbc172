"""The panel's pages of conversations."""

"""The Venddor dialect, over HTTP."""

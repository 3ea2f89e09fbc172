"""The CS-Cart dialect, over HTTP."""

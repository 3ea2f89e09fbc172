"""The site chat: its JSON, its streams, its files, and the widget in a browser."""

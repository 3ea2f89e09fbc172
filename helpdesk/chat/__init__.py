"""The site chat: what a visitor's page may ask of the web process, and the streams in a process of their own."""

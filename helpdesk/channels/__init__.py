"""The ways out of and into a channel's medium; each turns our message into theirs and knows nothing of the queue."""

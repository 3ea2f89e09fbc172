"""Real HTTP programs that behave like the providers, faults included; they share no code with our clients."""

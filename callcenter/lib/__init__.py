"""The shared floor: small modules that import nothing else of this project."""

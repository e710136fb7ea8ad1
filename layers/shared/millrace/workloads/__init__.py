"""What one job of a kind does, one module a kind."""

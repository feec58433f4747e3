"""Who decides what to say next."""

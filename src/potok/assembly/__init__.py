"""Settings in, built parts out; the only reader of the environment."""

"""The ASGI edge: HTTP in, frames out."""

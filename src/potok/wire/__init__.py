"""Bytes on the wire and nothing else: no sockets, no events, no rules of conduct."""

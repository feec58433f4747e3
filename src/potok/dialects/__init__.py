"""Foreign protocols as pure codecs."""

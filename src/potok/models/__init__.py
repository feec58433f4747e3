"""Sources of tokens behind one contract."""

"""Log backends behind one contract."""

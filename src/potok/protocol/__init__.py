"""Rules of conduct as pure state machines: one writer, one reader, one run."""

"""The nouns of Potok: events, their grammar, their JSON, and the fold into a message."""

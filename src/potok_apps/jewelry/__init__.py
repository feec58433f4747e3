"""A jewelry house: its catalogue and customers, and the rules by which its agents advise."""

"""Two people on one server, so that every face can be tested for what one sees of the other.

`Access(principals=two_principals())` makes a server that knows both; each sends its own headers.
"""

from potok.server.principals import KeyedPrincipals

__all__ = ["ANNA", "BORIS", "two_principals"]

ANNA = {"authorization": "Bearer key-of-anna"}
"""The headers that Anna's requests carry; her principal is `anna`."""

BORIS = {"authorization": "Bearer key-of-boris"}
"""The headers that Boris's requests carry; his principal is `boris`."""


def two_principals() -> KeyedPrincipals:
    """Return principals that know the keys of Anna and Boris.

    Does not imitate: keys that are hashed, revoked or limited.
    """
    return KeyedPrincipals({"key-of-anna": "anna", "key-of-boris": "boris"})

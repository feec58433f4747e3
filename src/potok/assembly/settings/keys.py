"""Keys: what one may look like. They stay `SecretStr` until they are put into a header."""

import re
from typing import Annotated

from pydantic import AfterValidator, SecretStr

__all__ = ["KEY_RULE", "Key", "check_key"]

KEY_RULE = "printable ASCII characters without spaces"
_KEY = re.compile(r"[\x21-\x7e]+")


def check_key(key: SecretStr) -> SecretStr:
    """Return the key without blanks around it: a line break from a file would break a header.

    Raises:
        ValueError: no header can carry it.
    """
    bare = key.get_secret_value().strip()
    if not _KEY.fullmatch(bare):
        raise ValueError("no key")
    return SecretStr(bare)


Key = Annotated[SecretStr, AfterValidator(check_key)]

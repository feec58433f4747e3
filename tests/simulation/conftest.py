import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def nothing_is_logged() -> Iterator[None]:
    """Faults are what these tests are made of: their warnings say nothing."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)

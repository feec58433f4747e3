"""The suite that every log backend passes. Subclass it in a test module, name the class `Test...`.

    class TestMyLog(StreamLogSuite):
        def make_log(self, clock: FakeClock, folder: Path) -> StreamLog:
            return MyLog(folder / "log", clock=clock)

It needs pytest-asyncio, in either mode. `pytest.register_assert_rewrite("potok.testing")` in a
conftest.py makes its failures say more. Give `hold_commits` too where commits can be held:
without it the test that nobody sees an event before it is stored is skipped. Time is a `FakeClock`;
a backend whose store keeps its own time cannot pass the tests of leases, keys and retention as they
are.
"""

import pytest

from potok.testing.streamlog_leases import CancelsSuite, LeasesSuite, LossSuite, RetentionSuite
from potok.testing.streamlog_reading import ReadingSuite, WaitingSuite
from potok.testing.streamlog_runs import RunsSuite
from potok.testing.streamlog_writing import WritingSuite

__all__ = ["StreamLogSuite"]


@pytest.mark.asyncio
class StreamLogSuite(
    WritingSuite,
    ReadingSuite,
    WaitingSuite,
    RunsSuite,
    LeasesSuite,
    CancelsSuite,
    LossSuite,
    RetentionSuite,
):
    """What any `StreamLog` promises. Subclasses give `make_log`."""

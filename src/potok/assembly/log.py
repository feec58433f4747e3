"""The event log of one server: a file of its own, or the Redis that it shares with others."""

from potok.assembly.settings import Settings
from potok.clock import Clock
from potok.errors import RedisUnusable
from potok.streamlog.contract import StreamLog
from potok.streamlog.sqlite import SqliteLog

__all__ = ["LOG_FILE", "MISSING_REDIS", "connect_log"]

LOG_FILE = "runs.sqlite3"
"""The event log's file in the data folder, where no Redis is set."""

MISSING_REDIS = (
    "POTOK_REDIS_URL needs a package that is not installed. Install the extra `redis`:"
    " pip install '.[redis]' in a checkout of Potok, or pip install 'redis[hiredis]>=8'."
)

_HOUR_SECONDS = 3600.0


def connect_log(settings: Settings, *, clock: Clock) -> StreamLog:
    """Return the log, not opened yet; raises `RedisUnusable` if its library is missing."""
    storage = settings.storage
    if storage.redis_url is None:
        return SqliteLog(settings.data_dir / LOG_FILE, clock=clock, durability=storage.durability)
    try:
        from potok.streamlog.redis import RedisLog
    except ImportError as error:
        raise RedisUnusable(MISSING_REDIS) from error
    # No clock of ours: several machines agree on Redis's.
    return RedisLog(
        storage.redis_url.get_secret_value(),
        durability=storage.durability,
        events_kept_seconds=storage.events_kept_hours * _HOUR_SECONDS,
        records_kept_seconds=storage.runs_kept_days * 24 * _HOUR_SECONDS,
    )

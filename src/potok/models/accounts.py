"""An account with a provider: its address and its key. Keys are never shown by accident."""

from urllib.parse import SplitResult, urlsplit

from potok.errors import SettingInvalid

__all__ = ["Account", "Secret"]


class Secret:
    """Holds a key; only `reveal` gives it away, no repr, format or log line does."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "Secret('***')"

    def __reduce__(self) -> str:
        raise TypeError("a key is not pickled")

    def reveal(self) -> str:
        """Return the key itself, for the one header that needs it."""
        return self._value


class Account:
    """One account with one upstream.

    Args:
        name: The provider's name here.
        base_url: Where the API begins, `https://api.openai.com/v1`.
        api_key: The key, or None or empty where the upstream asks for none.
        key_setting: The setting that people fill with the key; named in errors.

    Raises:
        SettingInvalid: `base_url` is no http(s) address, or the key cannot stand in a header.
    """

    __slots__ = ("_key", "base_url", "key_setting", "name")

    def __init__(
        self, *, name: str, base_url: str, api_key: str | None, key_setting: str | None = None
    ) -> None:
        self.name = name
        self.base_url = base_url.strip().rstrip("/")
        self.key_setting = key_setting or f"{name.upper()}_API_KEY"
        key = (api_key or "").strip()
        self._key = Secret(key) if key else None
        self._check(key)

    @property
    def has_key(self) -> bool:
        """Whether calls carry a key."""
        return self._key is not None

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no error may show."""
        return () if self._key is None else (self._key.reveal(),)

    @property
    def shown_url(self) -> str:
        """The base address as people may see it: without user, password and query."""
        parts = _split(self.base_url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    def url(self, path: str) -> str:
        """Return the address of `path` (`/models`); the base's own query stays at the end."""
        base, mark, query = self.base_url.partition("?")
        return f"{base.rstrip('/')}{path}{mark}{query}"

    def headers(self) -> dict[str, str]:
        """Return new headers for a call: who asks, and with which key."""
        headers = {
            "Content-Type": "application/json",
            # A compressing proxy would hold tokens back.
            "Accept-Encoding": "identity",
            "User-Agent": "potok",
        }
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key.reveal()}"
        return headers

    def _check(self, key: str) -> None:
        parts = _split(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingInvalid(
                f"The address of the provider {self.name!r} is not one: give a base URL like"
                " http://localhost:11434/v1 or https://api.openai.com/v1."
            )
        if key and parts.username is not None:
            raise SettingInvalid(
                f"The address of the provider {self.name!r} holds a user's name, and there is also"
                f" a key: leave one of them out of its base URL and {self.key_setting}."
            )
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise SettingInvalid(
                f"{self.key_setting} holds characters that no key has (a space, a line break or a"
                " letter that is not ASCII). Copy the key again."
            )


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # a port that is no number is found only when it is looked at
    except ValueError:
        return urlsplit("")
    return parts

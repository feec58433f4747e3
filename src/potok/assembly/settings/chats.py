"""`[chats]`: where chats are kept, and who names them."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, SecretStr

from potok.assembly.settings.group import Group

__all__ = ["ChatsSettings"]

_SCHEMES = ("postgresql://", "postgres://", "sqlite:///")


def _check_url(url: SecretStr) -> SecretStr:
    if not url.get_secret_value().strip().startswith(_SCHEMES):
        raise ValueError("no URL of a database that chats can be kept in")
    return SecretStr(url.get_secret_value().strip())


class ChatsSettings(Group):
    """`POTOK_DATABASE_URL` and its neighbours."""

    table: ClassVar[str] = "chats"

    database_url: Annotated[SecretStr, AfterValidator(_check_url)] | None = Field(
        default=None,
        description="postgresql://user:password@host/name, or sqlite:///path of a file",
    )
    chat_titles: Literal["model", "text"] = Field(
        default="model",
        description="model (the model that answered names the chat) or text (its first words)",
    )

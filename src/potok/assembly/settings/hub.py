"""`HF_ENDPOINT` and `HF_TOKEN`: where models are fetched from, as other programs read it."""

import os
import re
from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import SettingsConfigDict

from potok.assembly.settings.group import Group
from potok.assembly.settings.keys import KEY_RULE, Key
from potok.assembly.settings.problems import describe_group
from potok.errors import SettingInvalid

__all__ = ["HUB_URL", "HubSettings", "load_hub"]

HUB_URL = "https://huggingface.co"
"""The hub that ids like `org/repo:file.gguf` mean, unless another one is set."""

_URL = re.compile(r"https?://[^\s/?#]+[^\s?#]*")


def _check_url(url: str) -> str:
    if not _URL.fullmatch(url.strip()):
        raise ValueError("no address of a hub")
    return url.strip().rstrip("/")


class HubSettings(Group):
    """The two variables of the hub's own programs; only `potok models add` uses them."""

    model_config = SettingsConfigDict(env_prefix="HF_")
    table: ClassVar[str] = ""

    endpoint: Annotated[str, AfterValidator(_check_url)] = Field(
        default=HUB_URL, description="an http or https address such as https://hub.example.com"
    )
    token: Key | None = Field(default=None, description=KEY_RULE)


def load_hub(environ: Mapping[str, str] | None = None) -> HubSettings:
    """Read the two variables: apart from all others, so that no server fails because of them.

    Raises:
        SettingInvalid: one of them cannot be used.
    """
    environ = os.environ if environ is None else environ
    lowered = {name.lower(): value for name, value in environ.items() if name.isupper() and value}
    try:
        return HubSettings.read(environ=lowered, table={})
    except ValidationError as error:
        sentences = describe_group(error, HubSettings, environ=environ, file="")
        raise SettingInvalid("\n".join(sentences)) from error

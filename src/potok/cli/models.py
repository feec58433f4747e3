"""`potok models`: which models there are; `add` and `remove` for files of this machine."""

from typing import Annotated

import typer

from potok.cli.exits import Exit, reports_errors

__all__ = ["models"]

models = typer.Typer(
    name="models",
    # Help is plain text, as everywhere.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="List the models; add or remove model files of this machine.",
)


@models.callback(invoke_without_command=True)
def list_models(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """List the models of all providers, and why one cannot be used."""
    if context.invoked_subcommand is None:
        _list(json)


@reports_errors
def _list(json: bool) -> Exit:
    import asyncio

    from potok.cli.model_list import as_json, as_lines, gather
    from potok.cli.targets import settings_of

    settings = settings_of()
    rows = asyncio.run(gather(settings))
    if json:
        print(as_json(rows, settings))
    else:
        for line in as_lines(rows):
            print(line)
    return Exit.DONE


@models.command()
@reports_errors
def add(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A .gguf file, an address of one, or an id at the hub: org/repo:file.gguf.",
        ),
    ],
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="What the model is called here.")
    ] = None,
    sha256: Annotated[
        str | None, typer.Option(metavar="HEX", help="The checksum that the file must have.")
    ] = None,
) -> Exit:
    """Put a model file into the data folder; an interrupted download goes on where it stopped."""
    from potok.assembly.settings import load_hub
    from potok.cli.model_adding import add_model
    from potok.cli.targets import settings_of

    return add_model(settings_of(), load_hub(), source, name=name, sha256=sha256)


@models.command()
@reports_errors
def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The model's name.")],
) -> Exit:
    """Delete a model file of the data folder, or what a download left of one."""
    from potok.assembly.settings import models_folder
    from potok.cli.model_removing import remove_model
    from potok.cli.targets import settings_of

    return remove_model(models_folder(settings_of().data_dir), name)

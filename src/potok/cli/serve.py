"""`potok serve`: the server in the foreground, until Ctrl-C or SIGTERM."""

from pathlib import Path
from typing import Annotated

import typer

from potok.cli.exits import Exit, reports_errors

__all__ = ["serve"]


@reports_errors
def serve(
    host: Annotated[
        str | None, typer.Option(metavar="HOST", help="Address to listen on, for POTOK_HOST.")
    ] = None,
    port: Annotated[
        str | None, typer.Option(metavar="PORT", help="Port to listen on, for POTOK_PORT.")
    ] = None,
    data_dir: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Where runs are kept, for POTOK_DATA_DIR.")
    ] = None,
    workers: Annotated[
        str | None,
        typer.Option(metavar="NUMBER", help="Processes that serve together, for POTOK_WORKERS."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Settings file (TOML), for POTOK_CONFIG.")
    ] = None,
) -> Exit:
    """Start the server."""
    from potok.cli.serving import run_server
    from potok.cli.targets import settings_of
    from potok.cli.worker_order import Order

    given = {"host": host, "port": port, "data_dir": data_dir, "workers": workers}
    options = {name: text for name, text in given.items() if text is not None}
    order = Order(options=options, config=None if config is None else str(config))
    return run_server(settings_of(config, **options), order)

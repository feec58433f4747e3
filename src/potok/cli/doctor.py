"""`potok doctor`: is this set-up sound, and if not, what is to be done?"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from potok.cli.exits import Exit, reports_errors

if TYPE_CHECKING:
    from potok.cli.doctor_finding import Finding

__all__ = ["doctor"]

_COLOURS = {"ok": "green", "warning": "yellow", "problem": "red"}


@reports_errors
def doctor(
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="A server to look at, wherever it is.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> Exit:
    """Check the settings, the data folder, the event log, the providers and the server."""
    import sys

    findings = []
    for finding in _examine(url):
        findings.append(finding)
        if not json:
            _print(finding, has_colours=sys.stdout.isatty())
    is_sound = all(finding.state != "problem" for finding in findings)
    if json:
        import msgspec

        report = {"ok": is_sound, "checks": findings}
        print(msgspec.json.format(msgspec.json.encode(report), indent=2).decode())
    return Exit.DONE if is_sound else Exit.FAILED


def _examine(url: str | None) -> "Iterator[Finding]":
    from potok.cli import examinations as examine
    from potok.cli.doctor_finding import Finding
    from potok.cli.examine_log import examine_log
    from potok.cli.targets import is_potok, server_of, settings_of
    from potok.errors import SettingInvalid

    yield examine.examine_python()
    try:
        settings = settings_of()
    except SettingInvalid as error:
        # Without settings there is nothing else to look at.
        for sentence in error.message.splitlines():
            yield Finding("settings", "problem", sentence)
        return
    yield examine.examine_settings(settings)
    yield from examine.examine_data_folder(settings)
    yield from examine_log(settings)
    yield from examine.examine_providers(settings)
    server = server_of(settings, url)
    if url is None and not is_potok(server):
        yield examine.examine_port(settings)
    else:
        yield from examine.examine_server(server)


def _print(finding: "Finding", *, has_colours: bool) -> None:
    state = f"{finding.state:<9}"
    if has_colours:
        state = typer.style(state, fg=_COLOURS[finding.state])
    print(f"{state}{finding.name:<13}{finding.detail}", flush=True)
    if finding.advice:
        print(f"{'':<9}{'':<13}-> {finding.advice}", flush=True)

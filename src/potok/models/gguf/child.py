"""The program that serves one model file: llama.cpp with its own HTTP server on loopback.

Run by its path, in a process of its own that may be killed at any time. It imports nothing of
Potok, so that it is up at once. It takes its order as one line of JSON on stdin, answers with one
line on stdout, and lives for as long as its stdin is open.
"""

import fcntl
import json
import os
import sys
import threading
from typing import Any

ANSWER = "potok-gguf "
"""What the answer's line begins with; other lines are complaints of llama.cpp."""


def main() -> None:
    """Serve until the parent is gone."""
    order = json.loads(sys.stdin.readline())
    _end_with_parent()
    import xllamacpp  # type: ignore[import-untyped]

    try:
        server = xllamacpp.Server(_parameters(xllamacpp, order))
    except Exception as error:
        _answer({"error": str(error)})
        raise SystemExit(1) from None
    _answer({"address": server.listening_address})
    threading.Event().wait()


def _end_with_parent() -> None:
    # The kernel itself ends this process when the parent's end of the pipe is closed, also by the
    # parent's death, and also while a model is loaded, when no Python code could run.
    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)
    # Where that signal is ignored by default, as on macOS.
    threading.Thread(target=_wait_for_end, daemon=True).start()


def _wait_for_end() -> None:
    while os.read(0, 1024):
        pass
    os._exit(0)


def _parameters(xllamacpp: Any, order: dict[str, Any]) -> Any:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = order["path"]
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.api_keys = [order["key"]]
    parameters.ui = False
    parameters.endpoint_slots = True
    parameters.offline = True
    parameters.use_jinja = True
    # Errors only: warnings and more may name what people wrote.
    parameters.verbosity = 1
    # One context is shared out among the slots.
    parameters.n_ctx = order["context_tokens"] * order["slots"]
    parameters.n_parallel = order["slots"]
    parameters.n_threads_http = 2 * order["slots"] + 4
    parameters.cache_ram_mib = order["prompt_cache_mib"]
    parameters.embedding = True
    parameters.n_batch = parameters.n_ubatch = order["batch_tokens"]
    if order["pools"]:
        parameters.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    if order["threads"]:
        parameters.cpuparams.n_threads = order["threads"]
    return parameters


def _answer(answer: dict[str, Any]) -> None:
    sys.stdout.write(f"{ANSWER}{json.dumps(answer)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

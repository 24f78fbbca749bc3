"""
The worker's own process: lays out one document after another until its standard input ends.

It is started with an environment of its own that holds no secret, may fetch nothing, and dies rather than take more memory
than it is given. Run by `billing.delivery.rendering.worker` as `python -m billing.delivery.rendering.child BYTES`.
"""

import os
import resource
import sys
from contextlib import suppress

from billing.delivery.rendering import engine
from billing.delivery.rendering.protocol import Answer, Page, read_frame, write_frame


def main(memory_bytes: int) -> None:
    """Answer each page with its document; ends where there are no more pages, or no more memory."""
    # Answers go by a descriptor of their own: a library that prints must not end up in the middle of one.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    limit_memory(memory_bytes)
    while (page := read_frame(sys.stdin.buffer, Page)) is not None:
        write_frame(answers, _answer(page))


def limit_memory(memory_bytes: int) -> None:
    """Let this process take no more address space than this; 0 sets no bound, and so do systems that know none (macOS)."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory_bytes:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


def _answer(page: Page) -> Answer:
    try:
        return Answer(content=engine.write_pdf(page))
    except (MemoryError, SystemError):
        # Memory ran out, in Python or below it; what is half done may be broken: the next document gets a new process.
        os._exit(os.EX_SOFTWARE)
    except Exception as error:  # noqa: BLE001 (whatever it is, it is told to the process that asked)
        return Answer(error=f"{type(error).__name__}: {error}"[:2000] or "unknown")


if __name__ == "__main__":
    main(int(sys.argv[1]))

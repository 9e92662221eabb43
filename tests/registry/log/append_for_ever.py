"""A process for the crash tests: appends commits of three entries and prints the end of each once it is acknowledged.

Usage: python append_for_ever.py URL NAME
"""

import asyncio
import sys

from registry.envelope import Entry
from registry.log import open_log


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def main(url: str, name: str) -> None:
    log = await open_log(url)
    end = await log.end()
    say("open")
    for number in range(1_000_000):
        async with log.turn(end) as turn:
            written = [Entry(b"%s %d %d" % (name.encode(), number, part), b"v" * 1000) for part in range(3)]
            end = (await turn.append(written)).end
        say(f"{end} {written[0].key.decode()}")


asyncio.run(main(*sys.argv[1:]))

"""`make bench`, or `make bench ARGS=start` for those whose name begins so.

Prints one JSON object per line. The exit status is 0 whatever the figures are; a benchmark that
cannot run prints a line without a value, and why.
"""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from core.backend.web.server import raise_descriptor_limit
from tests.benchmarks.decisions import durable_decisions
from tests.benchmarks.fanout import fanout
from tests.benchmarks.latency import latencies
from tests.benchmarks.processes import BenchError
from tests.benchmarks.replay import replayed_after_reconnect
from tests.benchmarks.report import Line
from tests.benchmarks.scale import Scale, smoke
from tests.benchmarks.stalls import longest_stall
from tests.benchmarks.start import start_to_first_paint
from tests.benchmarks.webhooks import webhooks_accepted

Bench = Callable[[Scale], Iterator[Line]]

# Some come from the same run.
BENCHES: Mapping[str, Bench] = {
    "submitted_to_console_p99": latencies,
    "approved_to_student_p99": latencies,
    "durable_decisions": durable_decisions,
    "replayed_after_reconnect": replayed_after_reconnect,
    "start_to_first_paint": start_to_first_paint,
    "longest_stall": longest_stall,
    "fanout_deliveries": fanout,
    "memory_per_socket": fanout,
    "webhooks_accepted": webhooks_accepted,
}


def lines(names: Sequence[str], make_scale: Callable[[Path], Scale]) -> Iterator[Line]:
    """The lines of these benchmarks, at least one for each name."""
    for bench in dict.fromkeys(BENCHES[name] for name in names):
        wanted = [name for name in names if BENCHES[name] is bench]
        with tempfile.TemporaryDirectory(prefix="bursar-bench-") as folder:
            for line in _told(bench, wanted, make_scale(Path(folder))):
                if line.bench in wanted:
                    yield line


def _told(bench: Bench, names: Sequence[str], scale: Scale) -> Iterator[Line]:
    try:
        yield from bench(scale)
    except Exception as error:  # noqa: BLE001 - the other benchmarks are still worth having
        if not isinstance(error, BenchError):
            traceback.print_exc()
        for name in names:
            yield Line(name, "", "", None, note=f"{type(error).__name__}: {error}")


def main(arguments: Sequence[str]) -> int:
    wanted = [argument for argument in arguments if argument != "--smoke"]
    names = [name for word in wanted for name in BENCHES if name.startswith(word)]
    unknown = [word for word in wanted if not any(name.startswith(word) for name in BENCHES)]
    if unknown:
        print(f"There is no benchmark {unknown[0]!r}. There are: {', '.join(BENCHES)}.")
        return 2
    raise_descriptor_limit()
    small = "--smoke" in arguments
    for line in lines(
        names or list(BENCHES), lambda folder: smoke(folder) if small else Scale(folder=folder)
    ):
        print(line.json(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

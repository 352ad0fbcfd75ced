"""The first program of a container: signals stay pending from its instructions on, whatever is started then."""

from __future__ import annotations

import os
import platform
import signal
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from watchbot.stop_signals import terminating_signals

RUNTIME = Path(__file__).parents[2] / "watcher" / "runtime"
sys.path.insert(0, str(RUNTIME))
import hold_signals  # noqa: E402 - a script's neighbour, in no package

sys.path.remove(str(RUNTIME))

runs_here = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in hold_signals.MACHINES, reason="Linux on x86-64 or ARM64"
)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    hold_signals.write(tmp_path / "hold-signals")
    return tmp_path / "hold-signals"


def test_it_holds_every_signal_of_a_stop() -> None:
    assert set(hold_signals.SIGNALS) == set(terminating_signals(in_ecs=True))


@pytest.mark.parametrize("machine", hold_signals.MACHINES)
def test_the_instructions_of_each_machine_read_the_mask_behind_them(machine: str) -> None:
    file = hold_signals.program(machine)
    _, instructions = hold_signals.MACHINES[machine]
    (entry,) = struct.unpack_from("<Q", file, 24)
    assert file[entry - 0x400000 :] == instructions + file[-8:]
    (mask,) = struct.unpack("<Q", file[-8:])
    assert {number for number in range(1, 65) if mask >> (number - 1) & 1} == set(hold_signals.SIGNALS)
    if machine == "x86_64":
        after, relative = 9, struct.unpack_from("<i", instructions, 5)[0]  # lea rsi, [rip + …]
        assert after + relative == len(instructions)
    else:
        at, word = 4, struct.unpack_from("<I", instructions, 4)[0]  # adr x1, …
        assert at + ((word >> 5 & 0x7FFFF) << 2) == len(instructions)


@runs_here
def test_it_becomes_the_program_with_its_arguments_and_environment(program: Path) -> None:
    ran = subprocess.run(
        [program, "/bin/sh", "-c", 'echo "$0 $1 $HERE"', "a b", "c"], env={"HERE": "d"}, capture_output=True, check=True
    )
    assert ran.stdout == b"a b c d\n"


@runs_here
@pytest.mark.parametrize("arguments", [[], ["/nowhere"]])
def test_refuses_a_program_that_is_not_there(program: Path, arguments: list[str]) -> None:
    assert subprocess.run([program, *arguments], check=False).returncode == 127


@runs_here
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGWINCH, signal.SIGRTMIN + 3])
def test_a_signal_stays_pending_through_every_program_that_follows(program: Path, number: int) -> None:
    script = f'kill -{int(number)} $$; exec "$0" -c "import signal; print(int(signal.sigwait({{{int(number)}}})))"'
    ran = subprocess.run(
        [program, "/bin/sh", "-c", script, sys.executable],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        timeout=30,
        check=True,
    )
    assert int(ran.stdout) == number

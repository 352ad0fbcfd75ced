"""The reaper as a subreaper, in a process of its own: here it would take the children of the tests."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, os, sys
from watchbot.reaper import Reaper

async def main():
    reaper = Reaper(adopts=True)
    reaper.listen()
    loop = asyncio.get_running_loop()

    async def run(script, mark):
        ended = loop.create_future()
        environment = dict(os.environ, TMPDIR=mark)
        pid = os.posix_spawn("/bin/sh", ["sh", "-c", script], environment, setsid=True)
        reaper.watch(pid, ended.set_result, b"TMPDIR=" + mark.encode())
        return await ended

    SCENARIO

asyncio.run(main())
"""


def _run(scenario: str) -> list[str]:
    program = PROGRAM.replace("SCENARIO", scenario.strip().replace("\n", "\n    "))
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="subreapers are Linux's")

GONE = """
async def gone(pid):
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended = asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    await asyncio.wait_for(ended.wait(), 20)
    loop.remove_reader(descriptor)
"""


def test_every_exit_code_is_right_while_orphans_are_reaped_beside_them() -> None:
    scenario = """
codes = list(range(200))
script = "(setsid sleep 0.01 &) ; exit"
results = await asyncio.gather(*(run(f"{script} {code}", f"/mark{code}") for code in codes))
print(results == codes)
"""
    assert _run(scenario) == ["True"]


def test_a_daemon_that_left_its_session_ends_with_its_job(tmp_path: object) -> None:
    scenario = f"""
{GONE}
await run("setsid sh -c 'echo $$ > {tmp_path}/daemon; setsid sleep 1000 & echo $! > {tmp_path}/child; wait' & "
          "while [ ! -s {tmp_path}/child ]; do sleep 0.01; done", "/mark")
await gone(int(open("{tmp_path}/daemon").read()))
await gone(int(open("{tmp_path}/child").read()))
print("gone")
"""
    assert _run(scenario) == ["gone"]


def test_a_daemon_of_one_job_does_not_end_another_jobs(tmp_path: object) -> None:
    scenario = f"""
{GONE}
stay = "while [ ! -e {tmp_path}/stop ]; do sleep 0.01; done"
other = asyncio.create_task(run("setsid sh -c 'echo $$ > {tmp_path}/other; " + stay + "; echo survived' & "
          "while [ ! -s {tmp_path}/other ]; do sleep 0.01; done; wait", "/other"))
await run("setsid sleep 1000 & echo $! > {tmp_path}/mine; "
          "while [ ! -s {tmp_path}/other ]; do sleep 0.01; done", "/mine")
await gone(int(open("{tmp_path}/mine").read()))
open("{tmp_path}/stop", "w").close()
print(await other)
"""
    assert _run(scenario) == ["survived", "0"]


def test_a_daemon_with_an_empty_environment_ends_once_no_job_runs(tmp_path: object) -> None:
    scenario = f"""
{GONE}
await run("setsid env -i sh -c 'echo $$ > {tmp_path}/pid; exec sleep 1000' & "
          "while [ ! -s {tmp_path}/pid ]; do sleep 0.01; done", "/mark")
await gone(int(open("{tmp_path}/pid").read()))
print("gone")
"""
    assert _run(scenario) == ["gone"]

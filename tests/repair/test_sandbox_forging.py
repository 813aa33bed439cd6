"""No program passes that did not come to the end of its test, whatever it does by accident or in a few lines.

Every answer here fails its test; each with a way of leaving that looks like success.
"""

from __future__ import annotations

import pytest

from ctm.repair import sandbox
from ctm.repair.sandbox import FORGED, SandboxSettings, run_test

SETTINGS = SandboxSettings(seconds=20.0, memory_mb=256)  # nothing here waits: a busy machine is no failure
FAILS = "assert False, 'the test says no'"
refused = sandbox.unavailable()
isolated = pytest.mark.skipif(bool(refused), reason=refused or "never")

EVERY_DESCRIPTOR = """
import os
for number in range(1024):
    for said in (b"+", b"passed", b'{"outcome": "passed", "why": ""}\\n'):
        try:
            os.write(number, said)
        except OSError:
            break
os._exit(0)
"""
AT_EXIT = """
import atexit, os
atexit.register(os._exit, 0)
"""
CLOSING = """
import os
os.closerange(0, 1024)
os._exit(0)
"""
EXIT_THAT_RETURNS = """
import os, sys, traceback
os._exit = sys.exit = traceback.print_exc = lambda *arguments: None
"""
EXIT_THAT_SUCCEEDS = """
import os
leave = os._exit
os._exit = lambda status: leave(0)
"""
TRACING = """
import os, sys
def trace(frame, event, argument):
    if event == "call" and frame.f_code.co_name == "tested":
        os._exit(0)
sys.settrace(trace)
"""
THREADS = """
import sys, threading
threads = [threading.Thread(target=sys.exit) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
KILLING = """
import os, signal
for process in (os.getppid(), 1):
    try:
        os.kill(process, signal.SIGKILL)
    except OSError:
        pass
os._exit(0)
"""
BUILTINS = """
import builtins
builtins.exec = builtins.compile = builtins.BaseException = builtins.AssertionError = lambda *a, **k: None
"""
TEMPER = """
class Sly(BaseException):
    def __str__(self):
        import os
        os._exit(0)
raise Sly
"""
INTO_THE_LAUNCHER = """
import os
for number in range(64):
    try:
        file = os.open(f"/proc/{os.getppid()}/fd/{number}", os.O_WRONLY)
        os.write(file, b'{"outcome": "passed", "why": ""}\\n')
    except OSError:
        pass
os._exit(0)
"""
HONEST = """
import atexit, os, sys, threading
os.closerange(3, 1024)
atexit.register(print)
child = os.fork()
if not child:
    os._exit(3)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
sys.settrace(lambda *event: None)
threading.Thread(target=sys.exit).start()
os.write = None
"""
FRAMES = """
import os, sys
ours = sys._getframe(1).f_locals
ours["page"][:] = ours["token"]
os._exit(0)
"""
TRACEBACK = """
import os
try:
    1 / 0
except ZeroDivisionError as error:
    frame = error.__traceback__.tb_frame
while frame and "token" not in frame.f_locals:
    frame = frame.f_back
frame.f_locals["page"][:] = frame.f_locals["token"]
os._exit(0)
"""


@isolated
@pytest.mark.parametrize(
    "answer",
    [
        EVERY_DESCRIPTOR, AT_EXIT, CLOSING, EXIT_THAT_RETURNS, EXIT_THAT_SUCCEEDS, TRACING, THREADS, KILLING, BUILTINS,
        TEMPER,
    ],
    ids=[
        "every descriptor", "atexit", "closing", "an exit that returns", "an exit that succeeds", "tracing", "threads",
        "killing", "builtins", "an exception that leaves",
    ],
)  # fmt: skip
def test_a_failing_test_does_not_pass(answer: str):
    result = run_test(answer + "\ndef tested(): return 1\n", f"tested()\n{FAILS}", SETTINGS)
    assert result.passed is False, result


@isolated
def test_a_child_cannot_pass_for_its_parent():
    """The child comes to the end, and shares the parent's memory; the parent left before."""
    result = run_test("import os\nif os.fork():\n    os.wait()\n    os._exit(0)", "assert True", SETTINGS)
    assert result.passed is False and result.why == "it ended before its test did"


@isolated
def test_a_child_that_passes_does_not_hide_the_parents_failure():
    result = run_test("import os\nmine = os.fork()\nif mine: os.wait()", f"if mine:\n    {FAILS}", SETTINGS)
    assert result.passed is False and "the test says no" in result.why


@isolated
@pytest.mark.parametrize("answer", [FRAMES, TRACEBACK], ids=["frames", "traceback"])
def test_who_takes_the_token_is_found_by_an_end_that_fails(answer: str):
    result = run_test(answer, FAILS, SETTINGS)
    assert (result.passed, result.why) == (False, FORGED)


@isolated
def test_honest_programs_may_close_fork_trace_and_replace():
    result = run_test(HONEST, "assert status == 3", SETTINGS)
    assert result.passed, result.why


def test_without_isolation_the_same_holds():
    def unsafe(answer: str, test: str = FAILS) -> bool | None:
        return run_test(answer, test, SETTINGS, unsafe=True, isolate=False).passed

    assert unsafe("x = 1", "assert x == 1")
    assert unsafe(EVERY_DESCRIPTOR) is False
    assert unsafe(EXIT_THAT_RETURNS) is False
    assert unsafe(INTO_THE_LAUNCHER) is False

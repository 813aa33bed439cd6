"""What a test may do in the sandbox, and mostly what not."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from ctm.repair import sandbox
from ctm.repair.sandbox import SandboxSettings, run_test

QUICK = SandboxSettings(seconds=1.0, memory_mb=256)
PATIENT = SandboxSettings(seconds=20.0, memory_mb=256)
"""For what has to pass: a busy machine is no failure."""
refused = sandbox.unavailable()
isolated = pytest.mark.skipif(bool(refused), reason=refused or "never")


@isolated
def test_passes_fails_and_says_why():
    assert run_test("def f(): return 1", "assert f() == 1").passed
    failed = run_test("def f(): return 2", "assert f() == 1, f()")
    assert failed.passed is False and failed.why == "AssertionError: 2"
    assert run_test("def f(: return 1", "").why.startswith("SyntaxError")


@isolated
@pytest.mark.parametrize("leave", ["import sys; sys.exit(0)", "import os; os._exit(0)", "raise SystemExit"])
def test_leaving_before_the_test_is_no_pass(leave):
    assert run_test(leave, "assert False").passed is False


@isolated
@pytest.mark.parametrize("address", ["127.0.0.1", "1.1.1.1"])
def test_no_network(address):
    result = run_test("import socket", f"socket.create_connection(({address!r}, 53), 1)", QUICK)
    assert result.passed is False and "unreachable" in result.why


@isolated
@pytest.mark.parametrize(
    "test", ["while True: pass", "import time; time.sleep(60)", "import signal\nsignal.pause()"]
)
def test_what_does_not_end_is_killed(test):
    begin = time.monotonic()
    result = run_test("", test, QUICK)
    assert result.passed is False and result.why.startswith(("timed out", "killed"))
    assert time.monotonic() - begin < 5


@isolated
def test_processes_are_limited_and_none_outlives_the_test():
    mark = f"61.{os.getpid()}"
    test = f"import subprocess; subprocess.Popen(['sleep', '{mark}'], start_new_session=True)"
    assert run_test("", test, PATIENT).passed
    assert mark not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    # bounded by itself, in case the limit should fail
    forks = "import os, time\nfor _ in range(100):\n    if os.fork() == 0:\n        time.sleep(9)\n        os._exit(0)"
    result = run_test("", forks, QUICK)
    assert result.passed is False and "BlockingIOError" in result.why


@isolated
def test_memory_is_limited():
    assert run_test("", "x = bytearray(1 << 30)", QUICK).why == "MemoryError"


@isolated
def test_files_outside_cannot_be_read_or_written(tmp_path: Path):
    tmp_path.chmod(0o777)
    secret = tmp_path / "secret"
    secret.write_text("s")
    secret.chmod(0o666)
    for test in (
        f"open({str(secret)!r})",
        f"open({str(tmp_path / 'new')!r}, 'w')",
        f"import os; os.unlink({str(secret)!r})",
        f"open({sandbox.__file__!r})",
        "open('/usr/new', 'w')",
    ):
        assert run_test("", test, QUICK).passed is False, test
    assert secret.read_text() == "s" and list(tmp_path.iterdir()) == [secret]


@isolated
def test_its_own_folder_is_empty_writable_and_bounded():
    test = "import os\nassert os.listdir() == []\nopen('a', 'w').write('x')\nassert open('a').read() == 'x'"
    assert run_test("", test).passed
    assert "File too large" in run_test("", "open('a', 'wb').write(bytes(9 << 20))").why


@isolated
def test_a_python_below_tmp_runs_too(monkeypatch):
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        monkeypatch.setattr(sys, "executable", f"{folder}/bin/python")
        test = (
            f"import os, sys\nassert sys.prefix == {folder!r}\nassert not os.access(sys.prefix, os.W_OK)\n"
            "assert os.listdir() == []\nopen('a', 'w').write('x')"
        )
        assert run_test("", test).passed


@isolated
def test_no_privileges():
    test = (
        "import ctypes, os\nlibc = ctypes.CDLL(None)\n"
        "assert os.getuid() == os.geteuid() == os.getgid() == 65534\nassert os.getpid() == 2\n"
        "assert libc.mount(b'none', b'/', b'', 32 | 4096, b'') == -1\nassert libc.unshare(0x20000) == -1\n"
        "assert set(os.environ) <= {'PATH', 'HOME', 'TMPDIR', 'LANG', 'OPENBLAS_NUM_THREADS', 'OMP_NUM_THREADS'}"
    )
    result = run_test("", test)
    assert result.passed, result.why


@isolated
def test_errors_without_end_do_not_fill_memory():
    test = "import sys\nwhile True: print('x' * 9999, file=sys.stderr)"
    assert run_test("", test, QUICK).passed is False


def test_where_the_kernel_refuses_nothing_runs_unless_unsafe(monkeypatch, tmp_path: Path):
    start = sandbox._start

    def refuse(program, settings, isolate):
        return (
            ("refused", "unshare: Operation not permitted") if isolate else start(program, settings, isolate)
        )

    monkeypatch.setattr(sandbox, "_start", refuse)
    result = run_test("x = 1", "assert x == 1")
    assert result.passed is None and "unshare: Operation not permitted" in result.why
    assert sandbox.unavailable()
    assert run_test("x = 1", "assert x == 1", unsafe=True).passed


def test_unsafe_keeps_the_limits_and_the_user():
    def unsafe(test, settings=PATIENT):
        return run_test("import json, decimal", test, settings, unsafe=True, isolate=False)

    assert unsafe("assert json.dumps(1)").passed
    assert unsafe("while True: pass", QUICK).passed is False
    assert unsafe("x = bytearray(1 << 30)").why == "MemoryError"
    assert unsafe("import os; assert os.getuid() != 0").passed
    mark = f"62.{os.getpid()}"
    assert unsafe(f"import subprocess; subprocess.Popen(['sleep', '{mark}'], start_new_session=True)").passed
    assert mark not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout

"""Runs one program without privileges; started by `sandbox.py` as `python -I jail.py DIRECTORY`, never imported.

Three processes. The launcher enters new user, mount, pid, network, IPC and UTS namespaces and a file system made of a
tmpfs and read-only binds of what Python needs. The first process of the pid namespace keeps the time: when it
ends, the kernel kills whatever else is left in there. The program itself is forked, not executed, so that it needs no
second start of Python; it has no capabilities, no descriptors but stderr, hard limits, and an empty directory to write
to. That it came to its end it shows by a random token in a page of memory that it shares with the keeper of time: there
is nothing to write to or to close, and the exit status alone says nothing. (What is left to forge: sandbox.py.)
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import math
import mmap
import os
import resource
import signal
import sys
import time
import traceback
import types
from pathlib import Path
from typing import Any, NoReturn

NOBODY = 65534
# <linux/sched.h>, <linux/mount.h>, <linux/prctl.h>
NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = (
    0x00020000,
    0x04000000,
    0x08000000,
    0x10000000,
    0x20000000,
    0x40000000,
)
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_CAPBSET_DROP = 1, 4, 8, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 36, 38
CAPABILITY_VERSION_3, CAP_DAC_READ_SEARCH, LAST_CAPABILITY = 0x20080522, 2, 40
SYS_MOUNT_SETATTR, AT_RECURSIVE, MOUNT_ATTR_RDONLY = 442, 0x8000, 1

SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/localtime")
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")
TOKEN_BYTES = 32
SCRATCH = "/tmp"
FOLDER = "/tmp/answer"
"""Where the program starts: empty, even where this Python lies below /tmp."""
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": SCRATCH,
    "TMPDIR": SCRATCH,
    "LANG": "C.UTF-8",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}

_libc = ctypes.CDLL(None, use_errno=True)
_exit, _getpid = os._exit, os.getpid  # ours, whatever the program makes of those in `os`


class SandboxUnavailable(Exception):
    """The kernel does not give us what isolation needs."""


def main() -> NoReturn:
    """Read the request from stdin, run it, report {"outcome", "why"} on stdout."""
    request = json.loads(sys.stdin.buffer.read())
    root = Path(sys.argv[1])
    change_user = os.geteuid() == 0  # where it is not, the user namespace has made us nobody already
    if request["isolate"]:
        try:
            _enter_namespaces()
            _build_root(root, request["file_bytes"])
            os.chroot(root)
            os.chdir(FOLDER)
        except (SandboxUnavailable, OSError) as error:
            _report("refused", str(error))
            os._exit(0)
    else:
        os.chdir(root)
        if change_user:
            os.chown(root, NOBODY, NOBODY)
    _libc.prctl(
        PR_SET_DUMPABLE, 0, 0, 0, 0
    )  # the program may have our user: it must not trace us, nor our children us
    first = os.fork()
    if first == 0:
        try:
            _keep_time(request, change_user)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        os._exit(1)
    os.waitpid(first, 0)
    os._exit(0)


def _report(outcome: str, why: str = "") -> None:
    os.write(1, json.dumps({"outcome": outcome, "why": why}).encode() + b"\n")


# --- isolation ------------------------------------------------------------------------------------------------------


def _check(result: int, what: str) -> None:
    if result != 0:
        raise SandboxUnavailable(f"{what}: {os.strerror(ctypes.get_errno())}")


def _enter_namespaces() -> None:
    if not sys.platform.startswith("linux"):
        raise SandboxUnavailable(f"namespaces need Linux, not {sys.platform}")
    flags = NEWNS | NEWPID | NEWNET | NEWIPC | NEWUTS
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        _check(_libc.unshare(flags), "unshare")
        return
    _check(_libc.unshare(flags | NEWUSER), "unshare (user namespace)")
    Path("/proc/self/setgroups").write_text("deny", encoding="utf-8")
    Path("/proc/self/uid_map").write_text(f"{NOBODY} {user} 1", encoding="utf-8")
    Path("/proc/self/gid_map").write_text(f"{NOBODY} {group} 1", encoding="utf-8")


def _mount(source: str, target: Path | str, kind: str, flags: int, data: str = "") -> None:
    code = _libc.mount(
        source.encode(), os.fsencode(target), kind.encode(), ctypes.c_ulong(flags), data.encode()
    )
    _check(code, f"mount {target}")


def _build_root(root: Path, scratch_bytes: int) -> None:
    """An empty tmpfs at `root` with the system's libraries and this Python bound into it, all read-only but /tmp."""
    _mount("none", "/", "", MS_REC | MS_PRIVATE)
    _mount("tmpfs", root, "tmpfs", MS_NOSUID, "size=1m,mode=0755")
    scratch = root / SCRATCH.lstrip("/")
    scratch.mkdir()
    _mount("tmpfs", scratch, "tmpfs", MS_NOSUID | MS_NODEV, f"size={scratch_bytes},mode=1777,nr_inodes=4096")
    # after the scratch: a Python below /tmp is bound into it, not hidden by it
    for path in (*SYSTEM, *dict.fromkeys((sys.base_prefix, sys.prefix)), *DEVICES):
        _bind(path, root)
    folder = root / FOLDER.lstrip("/")
    folder.mkdir()
    folder.chmod(0o777)
    _mount("none", root, "", MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID)


def _bind(path: str, root: Path) -> None:
    source, target = Path(path), root / path.lstrip("/")
    if not source.exists() or target.exists() or target.is_symlink():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink() and path in SYSTEM:  # /lib -> usr/lib
        target.symlink_to(source.readlink())
        return
    if source.is_dir():
        target.mkdir()
    else:
        target.touch()
    _mount(path, target, "", MS_BIND | MS_REC)
    if path not in DEVICES:
        _make_read_only(target)


class _MountAttributes(ctypes.Structure):
    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("move", ctypes.c_uint64),
        ("fd", ctypes.c_uint64),
    )


def _make_read_only(target: Path) -> None:
    attributes = _MountAttributes(MOUNT_ATTR_RDONLY, 0, 0, 0)
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    path = ctypes.c_char_p(os.fsencode(target))
    code = _libc.syscall(SYS_MOUNT_SETATTR, -100, path, AT_RECURSIVE, ctypes.byref(attributes), size)
    _check(code, "read-only mounts (Linux 5.12 or later)")


# --- the keeper of time ---------------------------------------------------------------------------------------------


def _keep_time(request: dict[str, Any], change_user: bool) -> NoReturn:
    """Fork the program, wait for it or for the deadline, report, and leave: what is left dies with the namespace."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    page, token = mmap.mmap(-1, TOKEN_BYTES), os.urandom(TOKEN_BYTES)
    program = os.fork()
    if program == 0:
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
            _run(request, change_user, page, token)
        finally:
            _exit(1)
    deadline = time.monotonic() + request["seconds"]
    status = None
    while status is None and (left := deadline - time.monotonic()) > 0:
        signal.sigtimedwait({signal.SIGCHLD}, left)
        status = _reap(program)
    if not request["isolate"]:
        _kill_descendants(program)
    _report(*_verdict(status, page[:] == token, request["seconds"]))
    os._exit(0)


def _reap(program: int) -> int | None:
    """Collect what has ended; the wait status of `program` if it is among it."""
    status = None
    while True:
        try:
            pid, code = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return status
        if pid == program:
            status = code
        if pid == 0:
            return status


def _kill_descendants(program: int) -> None:
    """Without a pid namespace: kill the program's session, then whatever is handed to us as its subreaper."""
    children = Path("/proc/self/task") / str(os.getpid()) / "children"
    stop = time.monotonic() + 2.0
    with contextlib.suppress(ProcessLookupError):
        os.killpg(program, signal.SIGKILL)
    with contextlib.suppress(OSError):  # one of them has ended by itself
        while time.monotonic() < stop and (left := children.read_text(encoding="utf-8").split()):
            for pid in left:
                os.kill(int(pid), signal.SIGKILL)
            _reap(0)
            time.sleep(0.005)


def _verdict(status: int | None, finished: bool, seconds: float) -> tuple[str, str]:
    if status is None:
        return "timed out", f"ran longer than {seconds:g} s"
    if os.WIFSIGNALED(status):
        return "killed", signal.Signals(os.WTERMSIG(status)).name
    if os.WEXITSTATUS(status) == 0 and finished:
        return "passed", ""
    return "failed", "" if finished or os.WEXITSTATUS(status) else "it ended before its test did"


# --- the program ----------------------------------------------------------------------------------------------------


def _run(request: dict[str, Any], change_user: bool, page: mmap.mmap, token: bytes) -> None:
    """Give everything up, then run the program's text as `__main__`; `token` in `page` says it came to its end."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.closerange(3, 1024)
    for limit, value in (
        (resource.RLIMIT_AS, request["memory_bytes"]),
        (resource.RLIMIT_CPU, math.ceil(request["seconds"])),
        (resource.RLIMIT_FSIZE, request["file_bytes"]),
        (resource.RLIMIT_NPROC, request["processes"]),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(limit)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (value, value))
    _drop_privileges(change_user, request["isolate"])
    os.environ.clear()
    os.environ.update(ENVIRONMENT)
    os.umask(0o077)
    _execute(request["program"], page, token)


def _drop_privileges(change_user: bool, isolated: bool) -> None:
    """No capabilities, no way to new ones, and the user nobody.

    A Python under /root can be read by nobody else: isolation binds it to where it can be, without isolation the
    right to read (and no other) is kept.
    """
    for capability in range(LAST_CAPABILITY + 1):
        _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    kept = 0
    if change_user:
        if not isolated:
            kept = 1 << CAP_DAC_READ_SEARCH
            _libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    effective_permitted_inheritable = (ctypes.c_uint32 * 6)(kept, kept, 0)
    if _libc.capset(header, effective_permitted_inheritable) != 0:
        raise SandboxUnavailable("capset")
    if os.geteuid() == 0 or os.getuid() == 0:
        raise SandboxUnavailable("the program would run as root")


def _execute(text: str, page: mmap.mmap, token: bytes) -> None:
    sys.argv = ["answer.py"]
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    itself = _getpid()
    try:
        exec(compile(text, "answer.py", "exec", dont_inherit=True), module.__dict__)
    except BaseException:  # SystemExit too: code that leaves early has not passed its test
        traceback.print_exc()
        sys.stderr.flush()
        _exit(1)
    else:
        if _getpid() == itself:  # a child that it forked shares the page
            page[:] = token
        _exit(0)


if __name__ == "__main__":
    main()

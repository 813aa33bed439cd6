"""A SLURM of one node, from Debian's packages, in a folder of its own: three daemons that end with the block.

Needs root (slurmd starts jobs as other users) and `apt-get install slurmctld slurmd slurm-client munge`. Nothing
of the system's SLURM or munge is used or changed: key, sockets, state and configuration lie in the folder, ports are
free ones.
The accelerator is pretended: one GPU of 96 shards behind /dev/null, which counts what jobs ask for and gives nothing.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "scancel")
SHARDS = 96
CONFIG = """\
ClusterName=ctm
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=10
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
# no cgroups are needed: processes are found by their parents, memory is counted and not enforced
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=1,sched_interval=5
MinJobAge=7200
KillWait=60
ReturnToService=2
MailProg=/bin/true
GresTypes=gpu,shard
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory_mb} Gres=gpu:1,shard:{shards} State=UNKNOWN
# a job of `urgent` takes the node from jobs of `main`, which are asked first and have KillWait to end
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=urgent Nodes={host} MaxTime=INFINITE State=UP PriorityTier=2 PreemptMode=OFF
"""
DEVICES = "AutoDetect=off\nName=gpu File=/dev/null\nName=shard Count={shards}\n"


@contextmanager
def one_node(folder: Path, cpus: int, memory_mb: int) -> Iterator[dict[str, str]]:
    """A running SLURM; yields the environment in which sbatch and the others find it.

    cpus, memory_mb: what the node says it has, more than there is if so wished. Raises RuntimeError where programs are
    missing, or a daemon does not come up.
    """
    missing = [name for name in PROGRAMS if not shutil.which(name, path=_path())]
    if missing or os.geteuid():
        raise RuntimeError(
            f"a SLURM of one's own needs root and {', '.join(missing) or 'nothing else'}: "
            "apt-get install slurmctld slurmd slurm-client munge"
        )
    host = socket.gethostname()
    controller_port, node_port = _free_ports(2)
    for name in ("state", "spool", "bin"):
        (folder / name).mkdir(parents=True)
    folder.chmod(0o755)
    (folder / "munge.key").write_bytes(os.urandom(128))
    (folder / "munge.key").chmod(0o600)
    (folder / "slurm.conf").write_text(
        CONFIG.format(
            host=host, folder=folder, cpus=cpus, memory_mb=memory_mb, shards=SHARDS,
            controller_port=controller_port, node_port=node_port,
        )
    )  # fmt: skip
    (folder / "gres.conf").write_text(DEVICES.format(shards=SHARDS))
    # the executor takes SLURM's variables from a job before it calls srun, and with them where this SLURM is
    srun = folder / "bin" / "srun"
    srun.write_text(f'#!/bin/sh\nSLURM_CONF="{folder}/slurm.conf" exec {shutil.which("srun")} "$@"\n')
    srun.chmod(0o755)
    environment = {
        **os.environ, "PATH": f"{folder}/bin:{_path()}", "SLURM_CONF": str(folder / "slurm.conf")
    }  # fmt: skip
    munge = ["munged", "--foreground", "--force", f"--key-file={folder}/munge.key"]
    munge += [f"--socket={folder}/munge.socket", f"--pid-file={folder}/munge.pid"]
    munge += [f"--log-file={folder}/munge.log", f"--seed-file={folder}/munge.seed", "--num-threads=2"]
    with ExitStack() as stack:
        stack.enter_context(_daemon(munge, environment, folder))
        _wait(lambda: (folder / "munge.socket").exists(), "munged", folder / "munge.log")
        stack.enter_context(_daemon(["slurmctld", "-D"], environment, folder))
        stack.enter_context(_daemon(["slurmd", "-D", "-N", host], environment, folder))

        def idle() -> bool:
            asked = subprocess.run(
                ["sinfo", "-h", "-p", "main", "-o", "%T"], env=environment, capture_output=True, text=True
            )
            return asked.stdout.strip() == "idle"

        _wait(idle, "slurmd", folder / "slurmd.log")
        try:
            yield environment
        finally:
            # jobs first: their steps would outlive slurmd
            subprocess.run(["scancel", "--user", "root"], env=environment, capture_output=True)
            _wait(lambda: not _jobs(environment), "the end of all jobs", folder / "slurmd.log")


def _jobs(environment: dict[str, str]) -> str:
    asked = ["squeue", "-h", "-t", "RUNNING,PENDING,COMPLETING"]
    return subprocess.run(asked, env=environment, capture_output=True, text=True).stdout


@contextmanager
def _daemon(command: list[str], environment: dict[str, str], folder: Path) -> Iterator[None]:
    """A daemon that stays in the foreground as our child, so that it cannot be left behind."""
    with open(folder / f"{command[0]}.out", "wb") as out:
        process = subprocess.Popen(
            command, env=environment, stdout=out, stderr=out, preexec_fn=_end_with_parent
        )
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _end_with_parent() -> None:
    """Of Linux (PR_SET_PDEATHSIG): SIGTERM where the parent is killed, so that no daemon outlives it."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _wait(met: Callable[[], bool], what: str, log: Path, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not met():
        if time.monotonic() > deadline:
            told = log.read_text()[-2000:] if log.exists() else "no log"
            raise RuntimeError(f"{what} did not come within {seconds:.0f} s; the end of {log}:\n{told}")
        time.sleep(0.2)


def _path() -> str:
    """Daemons lie in sbin, which not every shell looks into."""
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]

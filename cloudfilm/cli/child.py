"""Start of a process that `cloudfilm up` owns: `python -m cloudfilm.cli.child PARENT_PID COMMAND`.

It asks the kernel to be told to stop when its parent dies, however it dies: no orphan may hold a port or the spool.
It asks by itself, after exec: code run between fork and exec in a parent with threads may hang.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def live_no_longer_than(parent: int) -> bool:
    """Ask for SIGTERM at the death of the process `parent`; False when it has died already. Survives exec, not fork."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    return os.getppid() == parent


if __name__ == "__main__":
    if not live_no_longer_than(int(sys.argv[1])):
        sys.exit("cloudfilm: the process that started this one is gone.")
    sys.argv[:] = ["cloudfilm", *sys.argv[2:]]
    from cloudfilm.cli import main

    main()

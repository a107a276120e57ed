"""Runs a command, and appends what it took to a file: measured.py FILE COMMAND...

A line has the seconds from start to end, the seconds of CPU of the command and of all that it started and waited for, the
MB of the largest of these processes, and the MB of all of them together at the worst moment: the sum of their proportional
set sizes (Pss), looked at ten times a second, only where SAMPLE is set, for looking takes CPU too. Ends as the command does.
"""

import os
import resource
import subprocess
import sys
import threading
import time


def session(leader):
    """The processes that a command started, by their session."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if os.getsid(int(name)) == leader:
                    yield name
            except ProcessLookupError:
                continue


def together(leader):
    total = 0
    for process in session(leader):
        try:
            with open(f"/proc/{process}/smaps_rollup") as rollup:
                total += next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
        except (OSError, StopIteration):
            continue
    return total / 1024


def main(file, command):
    before = time.perf_counter()
    process = subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL)
    worst = 0.0
    if os.environ.get("SAMPLE"):
        over = threading.Event()
        threading.Thread(target=lambda: (process.wait(), over.set()), daemon=True).start()
        while not over.wait(0.1):
            worst = max(worst, together(process.pid))
    code = process.wait()
    wall = time.perf_counter() - before
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(file, "a") as line:
        line.write(f"{wall:.3f} {used.ru_utime + used.ru_stime:.3f} {used.ru_maxrss / 1024:.1f} {worst:.1f}\n")
    return code


sys.exit(main(sys.argv[1], sys.argv[2:]))

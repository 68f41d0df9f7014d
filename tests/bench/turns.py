"""How tests/bench/compare measures: processes that take turns, so that all see the same machine."""
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

PAUSE = 0.01  # seconds after a block, in which threads of OpenMP stop waiting busily


def environment(threads):
    return dict(os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads))


class Worker:
    """A process that does blocks of work when asked and sleeps meanwhile. biject_bench says what it understands."""

    def __init__(self, name, command, threads):
        self.name = name
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(threads)
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """It ends at the end of its input; one that does not is in the middle of something that nobody waits for any more."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.name} ended before its time with exit code {self.process.wait()}: {' '.join(self.process.args)}")
        return json.loads(line)

    def rate(self, phase, seconds):
        """Rows a second."""
        with contextlib.suppress(BrokenPipeError):  # then there is no answer either
            self.process.stdin.write(f"{phase} {seconds}\n")
            self.process.stdin.flush()
        answer = self.answer()
        time.sleep(PAUSE)
        return answer["rows"] / answer["seconds"]


def in_turn(jobs, rounds, seconds):
    """The rates of each (worker, phase) in all rounds, after one that warms them up."""
    for worker, phase in jobs:
        worker.rate(phase, seconds / 4)
    return list(zip(*([worker.rate(phase, seconds) for worker, phase in jobs] for _ in range(rounds))))


def whole(command, threads):
    """Seconds and MiB of a whole process. GNU time starts it, because the most memory that a child of a script is said to have used
    includes what the script itself held when it started the child."""
    with tempfile.NamedTemporaryFile("r") as memory:
        began = time.perf_counter()
        result = subprocess.run(
            ["time", "-q", "-f", "%M", "-o", memory.name, *map(str, command)], stdout=subprocess.DEVNULL, env=environment(threads)
        )
        seconds = time.perf_counter() - began
        if result.returncode != 0:
            sys.exit(f"exit code {result.returncode} of {' '.join(map(str, command))}")
        return seconds, int(memory.read()) / 1024


def whole_in_turn(commands, rounds, threads):
    """The median seconds of each, and the most memory."""
    found = zip(*([whole(command, threads) for command in commands] for _ in range(rounds)))
    return [(statistics.median(seconds for seconds, _ in runs), max(memory for _, memory in runs)) for runs in found]


class Others:
    """What other processes take of the processors from now on."""

    def __init__(self):
        self.began, self.taken = time.perf_counter(), self.taken_by_others()

    @staticmethod
    def taken_by_others():
        """Seconds since the machine started; those of a child count once it has been waited for."""
        with open("/proc/stat") as file:
            user, nice, system, _, _, irq, softirq, steal, *_ = map(int, file.readline().split()[1:])
        return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK") - sum(os.times()[:4])

    def share(self):
        return max(0, self.taken_by_others() - self.taken) / (time.perf_counter() - self.began) / os.cpu_count()

"""What the scripts of this folder share: rows to train on and to test on, the flows of the catalogue, and work that is done once,
one piece on each processor. A piece that stands in the folder of results is not done again, so a run can be interrupted."""
import concurrent.futures
import json
import os
import subprocess
import sys
import time


class Failed(Exception):
    """A command ended with an error."""


def run(command):
    """What the command printed and returned, and the seconds it took. One that a signal ended is no result and ends the script."""
    began = time.perf_counter()
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode in (130, 143) or result.returncode < 0:
        raise SystemExit(f"{' '.join(command)}: ended by a signal; run the script again to go on")
    return result, time.perf_counter() - began


def must(command):
    """What the command printed; an error with its own words if it fails."""
    result, _ = run(command)
    if result.returncode != 0:
        raise Failed(f"{' '.join(command)}: {result.stderr.strip() or f'exit code {result.returncode}'}")
    return result.stdout


def flows_of(biject, named=""):
    """The rows of the catalogue, or those that are named, separated by commas."""
    listed = [line.split()[0] for line in must([biject, "flows"]).splitlines()[1:]]
    chosen = named.split(",") if named else listed
    if unknown := [flow for flow in chosen if flow not in listed]:
        sys.exit(f"no such flow: {', '.join(unknown)}; the flows are {', '.join(listed)}")
    return chosen


def split(data, work, table):
    """Paths of the rows to train on, to judge by (or none) and to test on: of a real table every fifth row is for the test."""
    folder = os.path.join(data, "toys", table)
    if os.path.isdir(folder):
        return [os.path.join(folder, part + ".csv") for part in ("train", "val", "test")]
    train, test = (os.path.join(work, f"{table}.{part}.csv") for part in ("train", "test"))
    with open(os.path.join(data, "real", table + ".csv")) as file:
        header, *lines = file.read().splitlines()
    for path, keep in ((train, lambda i: i % 5 != 4), (test, lambda i: i % 5 == 4)):
        with open(path + ".tmp", "w") as file:
            file.write("\n".join([header, *(line for i, line in enumerate(lines) if keep(i))]) + "\n")
        os.replace(path + ".tmp", path)
    return [train, None, test]


def recorded(path, make):
    """What stands in the JSON file, or what make() returns, which then stands there."""
    if os.path.exists(path):
        with open(path) as file:
            return json.load(file)
    found = make()
    with open(path + ".tmp", "w") as file:
        json.dump(found, file)
    os.replace(path + ".tmp", path)
    return found


def each(jobs, work, say):
    """{job: work(*job)} of all jobs, one on each processor; say(job, result) is printed to standard error as they end."""
    results = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        running = {pool.submit(work, *job): job for job in jobs}
        try:
            for done in concurrent.futures.as_completed(running):
                job = running[done]
                results[job] = done.result()
                print(*job, say(results[job]), file=sys.stderr, flush=True)
        except BaseException as reason:
            pool.shutdown(wait=False, cancel_futures=True)
            if isinstance(reason, KeyboardInterrupt):
                sys.exit("interrupted; run the script again to go on")
            raise
    return results

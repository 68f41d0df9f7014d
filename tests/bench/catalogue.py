#!/usr/bin/env python3
"""Fits every flow of the catalogue, with its defaults, to a few tables and prints what came of it as a page of Markdown.

    python3 tests/bench/catalogue.py BIJECT DATA WORK [--time 60s] [--flows a,b] [--tables a,b] > tests/bench/catalogue.md

BIJECT is the program, DATA a folder with toys/NAME/{train,val,test}.csv and real/NAME.csv, WORK a folder for models and results.
Every fifth row of a real table is its test set. A fit that stands in WORK is not done again, so a run can be interrupted, and
the page made from what is there. Fits run one on each processor, with one thread each; needs nothing but Python.
"""
import argparse
import json
import math
import os
import sys
import time

from fits import each, flows_of, recorded, run, split

TABLES = {
    "two_moons": -0.9973,
    "banana": -3.5261,
    "checkerboard": -3.4657,
    "student5": -5.5328,
    "power_plant_ccpp": None,
    "wine_red": None,
}


def per_row(command, rows, start_up):
    """Microseconds a row, the best of three runs of the whole program less what it takes without rows."""
    best = min(run(command)[1] for _ in range(3))
    return max(best - start_up, 0) / rows * 1e6


def measure(options, flow, table, paths):
    train, judge, test = paths
    model = os.path.join(options.work, f"{table}.{flow}.flow")
    fit = [options.biject, "fit", "-j", "1", "-q", "-f", flow, train, "-o", model, "--time", options.time]
    result, seconds = run(fit + (["--validation", judge] if judge else []))
    if result.returncode != 0:
        return {"flow": flow, "table": table, "error": result.stderr.strip().splitlines()[:1]}
    summary, _ = run([options.biject, "score", "-j", "1", "--summary", "--json", model, test])
    info, start_up = run([options.biject, "info", "--json", model])
    summary, info = json.loads(summary.stdout), json.loads(info.stdout)
    rows = summary["rows"]
    return {
        "flow": flow,
        "table": table,
        "mean": summary["mean"],
        "error_of_mean": summary["standard_error"],
        "seconds": seconds,
        "stop": info["training"]["stop"],
        "validation": info["metrics"]["validation"]["mean"],
        "gaussian": info["metrics"]["gaussian"]["mean"],
        "score": per_row([options.biject, "score", "-j", "1", model, test, "-o", os.devnull], rows, start_up),
        "sample": per_row([options.biject, "sample", "-j", "1", model, "-n", str(rows), "-o", os.devnull], rows, start_up),
    }


def page(options, flows, tables, results):
    lines = [
        "# Every flow on six tables",
        "",
        f"Made by `tests/bench/catalogue.py` on {time.strftime('%Y-%m-%d')}: defaults, at most {options.time} a fit on one thread. Test log_prob is the mean over",
        "rows that the fit never saw, in nats, with its standard error; µs are those of one row through the whole program on one thread,",
        "reading or printing CSV included. A fit that was stopped by the clock is marked with †.",
    ]
    for table in tables:
        truth = TABLES.get(table)
        lines += ["", f"## {table}", ""]
        if truth is not None:
            lines += [f"The density itself has {truth:.4f}.", ""]
        lines += ["| flow | test log_prob | seconds to fit | µs to score | µs to sample |", "|---|---|---|---|---|"]
        found = [results[flow, table] for flow in flows if (flow, table) in results]
        for r in sorted(found, key=lambda r: -r.get("mean", -math.inf)):
            if "mean" not in r:
                lines.append(f"| {r['flow']} | {' '.join(r['error'])} | | | |")
                continue
            mark = " †" if r["stop"] == "time" else ""
            lines.append(
                f"| {r['flow']} | {r['mean']:.4f} ± {r['error_of_mean']:.4f} | {r['seconds']:.1f}{mark} | {r['score']:.2g} | {r['sample']:.2g} |"
            )
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("biject")
    parser.add_argument("data")
    parser.add_argument("work")
    parser.add_argument("--time", default="60s")
    parser.add_argument("--flows", default="")
    parser.add_argument("--tables", default=",".join(TABLES))
    options = parser.parse_args()
    os.makedirs(options.work, exist_ok=True)
    flows, tables = flows_of(options.biject, options.flows), options.tables.split(",")
    paths = {table: split(options.data, options.work, table) for table in tables}

    def work(flow, table):
        record = os.path.join(options.work, f"{table}.{flow}.json")
        return recorded(record, lambda: measure(options, flow, table, paths[table]))

    def say(r):
        if "mean" not in r:
            return " ".join(r["error"])
        gaussian = f"Gaussian {r['gaussian']:.4f} on validation {r['validation']:.4f}"
        return f"{r['mean']:.4f} in {r['seconds']:.1f} s ({r['stop']}), {gaussian}"

    results = each([(flow, table) for flow in flows for table in tables], work, say)
    sys.stdout.write(page(options, flows, tables, results))


if __name__ == "__main__":
    main()

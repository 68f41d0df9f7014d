#!/usr/bin/env python3
"""Fits p(PE | AT, V, AP, RH) of the power plant by every flow, with its defaults, and compares it with the linear regression.

    python3 tests/bench/conditional.py BIJECT DATA WORK [--time 60s] [--flows a,b] > conditional.md

BIJECT is the program, DATA a folder with real/power_plant_ccpp.csv, WORK a folder for models and results. Every fifth row is held
out. The regression is the normal distribution about the plane of least squares, with the variance that maximises the likelihood of
the training rows. Prints a page of Markdown: held-out nats of each flow, and how much better than the regression it is row by row.
Exit code 1 if a flow is not better by three standard errors; the row `gaussian` is that regression itself and has to equal it to
within 0.01 nats. With one column that is not given, this is also the test that every flow works with one. A fit that stands in WORK is
not done again; fits run one on each processor, with one thread each; needs nothing but Python.
"""
import argparse
import csv
import json
import math
import os
import sys
import time

from fits import each, flows_of, must, recorded, run, split

TABLE, TARGET, GIVEN = "power_plant_ccpp", "PE", ["AT", "V", "AP", "RH"]
THE_REGRESSION = "gaussian"  # the row of the catalogue that is one
CLOSE = 0.01                 # nats


def read(path):
    """Rows of given values, and the target of each."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    return [[float(row[name]) for name in GIVEN] for row in rows], [float(row[TARGET]) for row in rows]


def mean_and_error(values):
    mean = math.fsum(values) / len(values)
    variance = math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1)
    return mean, math.sqrt(variance / len(values))


def solve(matrix, right):
    """Gauss's elimination with pivots."""
    rows, n = [[*row, r] for row, r in zip(matrix, right)], len(right)
    for k in range(n):
        pivot = max(range(k, n), key=lambda i: abs(rows[i][k]))
        rows[k], rows[pivot] = rows[pivot], rows[k]
        for i in range(n):
            if i != k:
                factor = rows[i][k] / rows[k][k]
                rows[i] = [a - factor * b for a, b in zip(rows[i], rows[k])]
    return [rows[k][n] / rows[k][k] for k in range(n)]


def regression(train, test):
    """log p of each test row under the normal distribution about the plane of least squares."""
    x, y = read(train)
    centre = [math.fsum(column) / len(column) for column in zip(*x)]  # keeps the normal equations well conditioned
    terms = lambda row: [1.0, *(v - c for v, c in zip(row, centre))]
    design = [terms(row) for row in x]
    columns = list(zip(*design))
    gram = [[math.fsum(a * b for a, b in zip(p, q)) for q in columns] for p in columns]
    weights = solve(gram, [math.fsum(a * b for a, b in zip(p, y)) for p in columns])
    residual = lambda row, target: target - math.fsum(w * t for w, t in zip(weights, terms(row)))
    variance = math.fsum(residual(row, target) ** 2 for row, target in zip(x, y)) / len(y)
    return [-(residual(row, target) ** 2 / variance + math.log(2 * math.pi * variance)) / 2 for row, target in zip(*read(test))]


def measure(options, flow, train, test):
    model = os.path.join(options.work, f"{TABLE}.given.{flow}.flow")
    fit = [options.biject, "fit", "-j", "1", "-q", "-f", flow, train, "-o", model, "--given", ",".join(GIVEN), "--time", options.time]
    result, seconds = run(fit)
    if result.returncode != 0:
        return {"error": result.stderr.strip()}
    info = json.loads(must([options.biject, "info", "--json", model]))
    scores = must([options.biject, "score", "-j", "1", model, test]).split()[1:]
    return {"log_prob": [float(score) for score in scores], "seconds": seconds, "stop": info["training"]["stop"]}


def verdict(flow, difference, error):
    if flow == THE_REGRESSION:
        return "equal, as it should be" if abs(difference) <= CLOSE else f"NOT EQUAL: more than {CLOSE} nats apart"
    return "better" if difference > 3 * error else "NOT BETTER"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("biject")
    parser.add_argument("data")
    parser.add_argument("work")
    parser.add_argument("--time", default="60s")
    parser.add_argument("--flows", default="")
    options = parser.parse_args()
    os.makedirs(options.work, exist_ok=True)
    train, _, test = split(options.data, options.work, TABLE)
    reference = regression(train, test)
    mean, error = mean_and_error(reference)

    def work(flow):
        return recorded(os.path.join(options.work, f"{TABLE}.given.{flow}.json"), lambda: measure(options, flow, train, test))

    def say(r):
        return r.get("error") or f"{mean_and_error(r['log_prob'])[0]:.4f} in {r['seconds']:.1f} s ({r['stop']}), regression {mean:.4f}"

    results = each([(flow,) for flow in flows_of(options.biject, options.flows)], work, say)
    rows, failed = [], 0
    for (flow,), r in results.items():
        if "error" in r:
            rows.append((-math.inf, f"| {flow} | {' '.join(r['error'].split())} | | | FAILED |"))
            failed += 1
            continue
        if len(r["log_prob"]) != len(reference):
            sys.exit(f"{flow}: {len(r['log_prob'])} scores for {len(reference)} test rows")
        own, own_error = mean_and_error(r["log_prob"])
        difference, its_error = mean_and_error([a - b for a, b in zip(r["log_prob"], reference)])
        said = verdict(flow, difference, its_error)
        failed += said.startswith("NOT")
        mark = " †" if r["stop"] == "time" else ""
        rows.append((own, f"| {flow} | {own:.4f} ± {own_error:.4f} | {difference:+.4f} ± {its_error:.4f} | {r['seconds']:.1f}{mark} | {said} |"))
    print("# Electrical output given the weather: every flow against the linear regression\n")
    print(f"Made by `tests/bench/conditional.py` on {time.strftime('%Y-%m-%d')}: p({TARGET} | {', '.join(GIVEN)}) of {TABLE}, defaults, at most {options.time} a fit on")
    print(f"one thread. Mean log_prob of {len(reference)} rows that the fit never saw, in nats, with its standard error. The regression (least squares, normal")
    print(f"residuals) has {mean:.4f} ± {error:.4f}; better by: the mean of the paired differences. A fit that was stopped by the clock is marked with †.\n")
    print("| flow | test log_prob | better by | seconds to fit | |\n|---|---|---|---|---|")
    for _, line in sorted(rows, key=lambda row: -row[0]):
        print(line)
    print(f"\n{len(rows) - failed} of {len(rows)} as they should be.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Draws rows from a trained model of every flow, and checks that they follow the density that scores them, and that the flow inverts.

    python3 tests/bench/round_trip.py BIJECT LATENTS DATA WORK [--time 20s] [--rows 100000] [--flows a,b] > round_trip.md

BIJECT is the program, LATENTS the program biject_latents, DATA a folder with real/power_plant_ccpp.csv and real/quakes_fiji.csv, WORK a
folder for models and results. Every flow is fitted to all columns of the power plant, and to the quakes' p(depth, mag, stations | lat,
long), with its defaults. Then, all in float64:

- The rows of `sample` go back to latents z = f(x). The distribution function of the base makes uniform numbers of them; the largest
  distance D of Kolmogorov and Smirnov over the columns is at most √(ln(2/5e-8)/2n): 0.00936 for 100,000 rows. Of a mixture
  a component is drawn for each row given the row; its z is judged, and which component it was as one more column.
- x → z → x and z → x → z for 10,000 of the rows come back to within 1e-8 · (1 + |value|), 1e-12 for a flow that is one affine
  map, and the log-determinants of both ways cancel to 1e-8. For as many z uniform in |z_d| ≤ 6, nearly all of them where no draw
  would ever be, the same is asked, or 64 times what the last digit of x does to z where that is more, but not of those that a flow
  carries beyond a million standard deviations: how often either was is told.
- `score` of the rows prints what `sample --with-log-prob` said, to 1e-10 · (1 + |log_prob|).

Prints a page of Markdown; exit code 1 if a bound is missed. --temperature 1.1 draws from a wider density: every D has to miss its
bound. A piece that stands in WORK is not done again; they run one on each processor; needs nothing but Python.
"""
import argparse
import csv
import json
import math
import os
import sys
import time

from fits import Failed, each, flows_of, must, recorded, run, split

TABLES = {"power_plant_ccpp": [], "quakes_fiji": ["lat", "long"]}  # and what is given
TRIP, AFFINE_TRIP, LOGDET, SCORE = 1e-8, 1e-12, 1e-8, 1e-10
SLOW = {"flow-matching": 20}  # gets so many times fewer rows: a stiff equation, solved for each of them
AFFINE = ["gaussian", "made-mog"]  # the rows of the catalogue that are one affine map
NAMES = {"D": "D", "x": "x → z → x", "z": "z → x → z", "box": "box", "logdet": "log-determinants", "score": "score"}


def rows_of(flow, options):
    return options.rows // SLOW.get(flow, 1)


def bounds(flow, rows):
    trip = AFFINE_TRIP if flow in AFFINE else TRIP
    return {"D": math.sqrt(math.log(2 / 5e-8) / (2 * rows)), "x": trip, "z": trip, "box": trip, "logdet": LOGDET, "score": SCORE}


def distance(values):
    """Of Kolmogorov and Smirnov, between numbers and the uniform distribution on (0, 1)."""
    if not all(0 <= v <= 1 for v in values):
        return math.inf
    n = len(values)
    return max(max((i + 1) / n - v, v - i / n) for i, v in enumerate(sorted(values)))


def columns_of(path):
    with open(path, newline="") as file:
        reader = csv.reader(file)
        names = next(reader)
        return dict(zip(names, zip(*(map(float, row) for row in reader))))


def conditions(table, given, rows_wanted, options, path):
    """A file of values of the given columns, one line a draw: those of the table, over and over."""
    with open(os.path.join(options.data, "real", table + ".csv"), newline="") as file:
        rows = [[row[name] for name in given] for row in csv.DictReader(file)]
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([given, *(rows[i % len(rows)] for i in range(rows_wanted))])
    return ["--given", path]


def measure(options, flow, table, train, given):
    stem = os.path.join(options.work, f"{table}.round_trip.{flow}")
    model, drawn, uniform, condition = (stem + end for end in (".flow", ".drawn.csv", ".uniform.csv", ".given.csv"))
    if not os.path.exists(model):
        fit = [options.biject, "fit", "-j", "1", "-q", "-f", flow, train, "-o", model + ".tmp", "--time", options.time]
        result, _ = run(fit + (["--given", ",".join(given)] if given else []))
        if result.returncode != 0:
            return {"error": result.stderr.strip()}
        os.replace(model + ".tmp", model)
    rows, began = rows_of(flow, options), time.perf_counter()
    draw = [options.biject, "sample", "-j", "1", "--double", "--with-log-prob", model, "-o", drawn]
    draw += conditions(table, given, rows, options, condition) if given else ["-n", str(rows)]
    try:
        must(draw + ["--temperature", options.temperature])
        said = columns_of(drawn)["log_prob"]
        found = [float(score) for score in must([options.biject, "score", "-j", "1", "--double", model, drawn]).split()[1:]]
        if not len(said) == len(found) == rows:
            return {"error": f"{len(said)} rows drawn and {len(found)} scored instead of {rows}"}
        errors = json.loads(must([options.latents, model, drawn, uniform]))
        if errors["rows"] <= errors["far_rows"]:
            return {"error": f"{errors['far_rows']} of {errors['rows'] + errors['far_rows']} draws have a latent beyond 6"}
        distances = {name: distance(values) for name, values in columns_of(uniform).items()}
    except Failed as error:
        return {"error": str(error)}
    finally:
        for path in (drawn, uniform, condition):
            if os.path.exists(path):
                os.remove(path)
    score = max(abs(a - b) / (1 + abs(a)) for a, b in zip(said, found))
    return {**errors, "distances": distances, "D": max(distances.values()), "score": score, "seconds": time.perf_counter() - began}


def missed(flow, result, rows):
    """Names of the bounds that a result misses; what is not a number misses all."""
    if "error" in result:
        return ["FAILED"]
    return [NAMES[name] for name, bound in bounds(flow, rows).items() if not result[name] <= bound]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("biject")
    parser.add_argument("latents")
    parser.add_argument("data")
    parser.add_argument("work")
    parser.add_argument("--time", default="20s")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--flows", default="")
    parser.add_argument("--temperature", default="1")
    options = parser.parse_args()
    os.makedirs(options.work, exist_ok=True)
    flows = flows_of(options.biject, options.flows)
    train = {table: split(options.data, options.work, table)[0] for table in TABLES}

    def work(flow, table):
        record = f"{table}.round_trip.{flow}.{rows_of(flow, options)}.{options.temperature}.json"
        return recorded(os.path.join(options.work, record), lambda: measure(options, flow, table, train[table], TABLES[table]))

    def say(r):
        return r.get("error") or ", ".join(f"{NAMES[k]} {r[k]:.2g}" for k in NAMES) + f" in {r['seconds']:.0f} s"

    results = each([(flow, table) for flow in flows for table in TABLES], work, say)
    failed = 0
    print("# Draws and round trips of every flow\n")
    print(f"Made by `tests/bench/round_trip.py` on {time.strftime('%Y-%m-%d')} from models that were fitted for at most {options.time}; all in float64. D: the largest distance")
    print("of Kolmogorov and Smirnov between the latents of draws and the base, over the columns, of what is allowed for so many rows. Then the")
    print(f"worst errors, relative to 1 + |value|: of round trips (at most {TRIP:.0e}; {AFFINE_TRIP:.0e} for {' and '.join(AFFINE)}, single affine maps), of the")
    print(f"log-determinants of both ways together ({LOGDET:.0e}, absolute), and of `score` against what `sample` said ({SCORE:.0e}). Box: z → x → z of")
    print("z uniform in |z_d| ≤ 6, or 64 times what the last digit of x does to z where that is more (steep: how often it was); without those")
    print("that a flow carries beyond a million standard deviations (beyond: how many).")
    for table, given in TABLES.items():
        print(f"\n## {table}{' given ' + ', '.join(given) if given else ''}\n")
        print("| flow | rows | D | x → z → x | z → x → z | box | steep | beyond | log-determinants | score | |\n|---|---|---|---|---|---|---|---|---|---|---|")
        for flow in flows:
            r = results[flow, table]
            rows = rows_of(flow, options)
            bad, limit = missed(flow, r, rows), bounds(flow, rows)
            failed += bool(bad)
            if "error" in r:
                print(f"| {flow} | {rows} | | | | | | | | | FAILED: {' '.join(r['error'].split())} |")
                continue
            note = "MISSED: " + ", ".join(bad) if bad else "good"
            trips, others = (" | ".join(f"{r[name]:.1e}" for name in names) for names in (("x", "z", "box"), ("logdet", "score")))
            steep, beyond = r["steep"] / max(r["boxed"], 1), r["far_boxed"] / (r["boxed"] + r["far_boxed"])
            print(f"| {flow} | {rows} | {r['D']:.5f} of {limit['D']:.5f} | {trips} | {steep:.2%} | {beyond:.2%} | {others} | {note} |")
    print(f"\n{len(results) - failed} of {len(results)} keep all bounds.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

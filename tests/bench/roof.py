#!/usr/bin/python3
"""How many rows a second the matrix products of a network take, and nothing else, in the BLAS: tests/bench/compare's roof.

    roof.py '[[6, 512], [512, 512], [512, 12]]'

For blocks of work, as biject_bench does them: "score 0.4" multiplies a batch of rows by each matrix, "train 0.4" also makes the gradients of
rows and matrix. The matrices are whole: what a mask forbids is multiplied too. OMP_NUM_THREADS is the number of threads.
"""
import json
import sys
import time

import numpy

BATCH = 512

matrices = [tuple(shape) for shape in json.loads(sys.argv[1])]
random = numpy.random.default_rng(0)
operands = {}
for inputs, outputs in set(matrices):
    x, w, y = (random.standard_normal(shape, dtype="float32") for shape in ((BATCH, inputs), (inputs, outputs), (BATCH, outputs)))
    operands[inputs, outputs] = (x, w, y), tuple(numpy.empty_like(a) for a in (x, w, y))

print(json.dumps({"matrices": len(matrices)}), flush=True)
for line in sys.stdin:
    phase, seconds = line.split()
    done, began, spent = 0, time.perf_counter(), 0
    while done == 0 or spent < float(seconds):
        for shape in matrices:
            (x, w, y), (dx, dw, out) = operands[shape]
            numpy.matmul(x, w, out=out)
            if phase == "train":
                numpy.matmul(y, w.T, out=dx)
                numpy.matmul(x.T, y, out=dw)
        done += BATCH
        spent = time.perf_counter() - began
    print(json.dumps({"phase": phase, "rows": done, "seconds": spent}), flush=True)

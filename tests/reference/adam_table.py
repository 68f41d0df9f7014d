#!/usr/bin/env python3
"""Prints the table of tests/train/adam_table.hpp: 100 steps of Adam with decoupled weight decay on four parameters, written
from the papers (Kingma & Ba 2015, algorithm 1; Loshchilov & Hutter 2019, algorithm 2) in plain floating point.

    python3 tests/reference/adam_table.py > tests/train/adam_table.hpp
"""
import math

RATE, BETA1, BETA2, EPS, DECAY = 0.01, 0.9, 0.999, 1e-8, 0.1


def gradient(step, index):
    """What both sides feed in: smooth, exactly zero, huge, tiny."""
    return [math.sin(0.3 * step), 0.0, 1e12 * (-1) ** step, 1e-12 * step][index]


theta = [0.5, -0.25, 1.0, 2.0]
m, v = [0.0] * 4, [0.0] * 4
rows = []
for t in range(1, 101):
    for i in range(4):
        g = gradient(t, i)
        m[i] = BETA1 * m[i] + (1 - BETA1) * g
        v[i] = BETA2 * v[i] + (1 - BETA2) * g * g
        mhat, vhat = m[i] / (1 - BETA1**t), v[i] / (1 - BETA2**t)
        theta[i] = theta[i] - RATE * (mhat / (math.sqrt(vhat) + EPS) + DECAY * theta[i])
    if t in (1, 2, 3, 10, 100):
        rows.append((t, list(theta)))

print("#pragma once\n")
print("// Made by tests/reference/adam_table.py.")
print("struct AdamRow {\n  int step;\n  double theta[4];\n};")
print("inline constexpr AdamRow kAdamTable[] = {")
for t, values in rows:
    print("    {%d, {%s}}," % (t, ", ".join(repr(x) for x in values)))
print("};")

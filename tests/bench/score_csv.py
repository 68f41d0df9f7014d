#!/usr/bin/python3
"""Scores a CSV file as a user of pandas and nflows would: what `biject score MODEL IN.csv -o OUT.csv` is compared with.

    score_csv.py IN.csv OUT.csv [HIDDEN]

A MAF of 5 layers with two hidden layers of HIDDEN units [64] that was not trained, float32, batches of 10000 rows. PEERS_DIR and
OMP_NUM_THREADS as for peers.py.
"""
import os
import sys

import pandas
import torch

import peers

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
table = pandas.read_csv(sys.argv[1])
model, log_prob, _ = peers.nflows("maf", table.shape[1], int(sys.argv[3]) if len(sys.argv) > 3 else 64)
model.eval()
rows = torch.from_numpy(table.to_numpy(dtype="float32"))
rows = (rows - rows.mean(0)) / rows.std(0)
with torch.no_grad():
    scores = torch.cat([log_prob(batch) for batch in rows.split(10_000)])
pandas.DataFrame({"log_prob": scores.numpy()}).to_csv(sys.argv[2], index=False)

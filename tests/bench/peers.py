#!/usr/bin/python3
"""The flows of tests/bench/compare in nflows and zuko: the same layers as ours, from the public constructors of these libraries.

    peers.py blocks LIBRARY FLOW D HIDDEN BATCH ROWS     does blocks of work, as biject_bench does
    peers.py fit LIBRARY FLOW HIDDEN EPOCHS BATCH CSV    reads a table and trains, as biject fit does

PEERS_DIR names the folder of their sources, nflows/ and zuko/; OMP_NUM_THREADS the number of threads. FLOW is one of

    realnvp       8 affine couplings, networks with two hidden layers
    maf           5 affine autoregressive layers, masked networks with two hidden layers
    nsf-coupling  10 rational-quadratic couplings, residual networks of two blocks
    nsf           5 rational-quadratic autoregressive layers, masked networks with two hidden layers

ReLU, 8 bins on [-3, 3], no dropout, float32.
"""
import argparse
import functools
import json
import os
import sys
import time
import types
import warnings

import torch
from torch import nn

sys.path[:0] = [os.path.join(os.environ.get("PEERS_DIR", ""), library) for library in ("nflows", "zuko")]

warnings.simplefilter("ignore")  # nflows on how networks of others start

LAYERS = {"realnvp": 8, "maf": 5, "nsf-coupling": 10, "nsf": 5}
BINS, TAIL = 8, 3.0


class Mlp(nn.Sequential):
    def __init__(self, inputs, outputs, hidden):
        super().__init__(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, outputs))

    def forward(self, x, context=None):
        return super().forward(x)


class ResidualNet(nn.Module):
    def __init__(self, inputs, outputs, hidden):
        super().__init__()
        self.first, self.last = nn.Linear(inputs, hidden), nn.Linear(hidden, outputs)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, hidden)) for _ in range(2)
        )

    def forward(self, x, context=None):
        h = self.first(x)
        for block in self.blocks:
            h = h + block(h)
        return self.last(h)


def nflows(flow, features, hidden):
    # Imported by nflows whether it is used or not, and not in Debian.
    sys.modules.setdefault("UMNN", types.SimpleNamespace(NeuralIntegral=None, ParallelNeuralIntegral=None))
    from nflows.distributions.normal import StandardNormal
    from nflows.flows.base import Flow
    from nflows.transforms import autoregressive, coupling
    from nflows.transforms.base import CompositeTransform
    from nflows.transforms.permutations import ReversePermutation

    spline = {"num_bins": BINS, "tails": "linear", "tail_bound": TAIL}
    masked = {"features": features, "hidden_features": hidden, "num_blocks": 1, "use_residual_blocks": False}
    layers = []
    for i in range(LAYERS[flow]):
        alternate = torch.where(torch.arange(features) % 2 == i % 2, 1, -1)
        if flow == "realnvp":
            layers.append(coupling.AffineCouplingTransform(alternate, lambda i, o: Mlp(i, o, hidden)))
        elif flow == "nsf-coupling":
            layers.append(coupling.PiecewiseRationalQuadraticCouplingTransform(alternate, lambda i, o: ResidualNet(i, o, hidden), **spline))
        else:
            layers.append(ReversePermutation(features))
            if flow == "maf":
                layers.append(autoregressive.MaskedAffineAutoregressiveTransform(**masked))
            else:
                layers.append(autoregressive.MaskedPiecewiseRationalQuadraticAutoregressiveTransform(**masked, **spline))
    model = Flow(CompositeTransform(layers), StandardNormal([features]))
    return model, model.log_prob, model.sample


def zuko(flow, features, hidden):
    from zuko.flows import MAF, NICE
    from zuko.flows.coupling import GeneralCouplingTransform
    from zuko.transforms import MonotonicRQSTransform

    options = {"transforms": LAYERS[flow], "hidden_features": (hidden, hidden)}
    if flow.startswith("nsf"):
        options.update(univariate=functools.partial(MonotonicRQSTransform, bound=TAIL), shapes=[(BINS,), (BINS,), (BINS - 1,)])
    model = (MAF if flow in ("maf", "nsf") else NICE)(features, **options)
    if flow == "nsf-coupling":
        for layer in model.modules():
            if isinstance(layer, GeneralCouplingTransform):
                layer.hyper = ResidualNet(layer.hyper[0].in_features, layer.hyper[-1].out_features, hidden)
    return model, lambda x: model().log_prob(x), lambda n: model().sample((n,))


LIBRARIES = {"nflows": nflows, "zuko": zuko}


def step_of(model, log_prob, rate):
    """step(x): one step of Adam on the rows x, as the examples of both libraries write it."""
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)

    def step(x):
        loss = -log_prob(x).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    return step


def blas():
    """The file that torch's matrix products come from, as far as it can be seen."""
    with open("/proc/self/maps") as maps:
        files = {os.path.realpath(line.split()[-1]) for line in maps if "blas" in line}
    return sorted(files)


def blocks(options):
    model, log_prob, sample = LIBRARIES[options.library](options.flow, options.features, options.hidden)
    step = step_of(model, log_prob, 1e-4)
    batch, rows = torch.randn(options.batch, options.features) * 0.9, torch.randn(options.rows, options.features) * 0.9
    work = {
        "train": (options.batch, lambda: step(batch)),
        "score": (options.rows, lambda: log_prob(rows)),
        "sample": (options.rows, lambda: sample(options.rows)),
    }
    parameters = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print(json.dumps({"parameters": parameters, "threads": torch.get_num_threads(), "torch": torch.__version__, "blas": blas()}), flush=True)
    for line in sys.stdin:
        phase, seconds = line.split()
        at_once, run = work[phase]
        model.train(phase == "train")
        done, began, spent = 0, time.perf_counter(), 0
        with torch.set_grad_enabled(phase == "train"):
            while done == 0 or spent < float(seconds):
                run()
                done += at_once
                spent = time.perf_counter() - began
        print(json.dumps({"phase": phase, "rows": done, "seconds": spent}), flush=True)


def fit(options):
    import numpy

    table = torch.from_numpy(numpy.loadtxt(options.csv, delimiter=",", skiprows=1, dtype="float32"))
    table = (table - table.mean(0)) / table.std(0)
    held_out = len(table) // 10
    judge, rows = table[:held_out], table[held_out:]
    model, log_prob, _ = LIBRARIES[options.library](options.flow, table.shape[1], options.hidden)
    step = step_of(model, log_prob, 1e-3)
    for _ in range(options.epochs):
        for batch in torch.randperm(len(rows)).split(options.batch):
            step(rows[batch])
        with torch.no_grad():
            log_prob(judge).mean().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for run in (blocks, fit):
        command = commands.add_parser(run.__name__)
        command.set_defaults(run=run)
        command.add_argument("library", choices=LIBRARIES)
        command.add_argument("flow", choices=LAYERS)
        names = ["features", "hidden", "batch", "rows"] if run is blocks else ["hidden", "epochs", "batch"]
        for name in names:
            command.add_argument(name, type=int)
        if run is fit:
            command.add_argument("csv")
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    options.run(options)


if __name__ == "__main__":
    main()

"""What tests/bench/compare measures, and what has to come of it."""
import collections


class Flow(collections.namedtuple("Flow", "flow text hidden blocks layers features")):
    """One flow in ours and in theirs: peers.py knows its layers by its name."""

    @property
    def name(self):
        return f"{self.flow}{self.hidden}-{self.features}"

    @property
    def title(self):
        return f"{self.text}, D={self.features}"

    @property
    def is_autoregressive(self):
        return self.flow in ("maf", "nsf")

    def ours(self, batch, threads):
        """Arguments of biject_bench."""
        hidden = self.hidden if self.blocks else f"{self.hidden},{self.hidden}"
        return [self.flow, self.features, hidden, self.blocks, self.layers, "reverse", batch, threads]

    def theirs(self, batch, rows):
        """Arguments of peers.py."""
        return [self.flow, self.features, self.hidden, batch, rows]


FLOWS = {
    flow.name: flow
    for kind, sizes in (
        (("realnvp", "RealNVP 8 × (2 × 128)", 128, 0, 8), (6, 43)),
        (("maf", "MAF 5 × (2 × 128)", 128, 0, 5), (6, 43)),
        (("maf", "MAF 5 × (2 × 512)", 512, 0, 5), (6, 43, 63)),
        (("nsf-coupling", "NSF coupling 10 × (residual 2 × 256)", 256, 2, 10), (6, 43)),
        (("nsf", "NSF autoregressive 5 × (2 × 256)", 256, 0, 5), (6, 43)),
    )
    for flow in (Flow(*kind, features) for features in sizes)
}

TRAINING_BATCH = 512
ROWS = 10_000  # scored or sampled at once
# Of what peers sample at once: they take D passes through each network.
FEWER_ROWS = {"maf512-43": 2000, "nsf256-43": 1000}

# Times the faster peer, with 1 and with 2 threads. A group is a phase and, of training, the batch.
AGAINST_PEERS = {
    "train-512": {
        "realnvp128-6": {1: 2.2, 2: 3.9},
        "realnvp128-43": {1: 2.4, 2: 4.5},
        "maf128-6": {1: 2.6, 2: 4.6},
        "maf128-43": {1: 2.8, 2: 5.0},
        "maf512-6": {1: 2.0, 2: 2.3},
        "maf512-43": {1: 2.2, 2: 2.6},
        "maf512-63": {1: 2.2, 2: 2.7},
        "nsf-coupling256-6": {1: 1.75, 2: 2.1},
        "nsf-coupling256-43": {1: 1.9, 2: 2.2},
        "nsf256-6": {1: 3.0, 2: 4.7},
        "nsf256-43": {1: 4.3, 2: 5.3},
    },
    "train-128": {
        "realnvp128-6": {1: 4.3, 2: 6.0},
        "maf128-6": {1: 4.3, 2: 6.5},
        "maf512-43": {1: 3.1, 2: 3.3},
        "nsf256-43": {1: 5.7, 2: 6.3},
    },
    "score": {
        "realnvp128-6": {1: 2.0},
        "realnvp128-43": {1: 2.0},
        "maf128-6": {1: 2.2},
        "maf128-43": {1: 2.2},
        "maf512-6": {1: 2.0},
        "maf512-43": {1: 2.0},
        "maf512-63": {1: 2.0},
        "nsf-coupling256-6": {1: 1.75},
        "nsf-coupling256-43": {1: 1.75},
        "nsf256-6": {1: 2.7},
        "nsf256-43": {1: 6.0},
    },
    "sample": {
        "maf128-6": {1: 12},
        "maf512-43": {1: 65},
        "nsf256-6": {1: 20},
        "nsf256-43": {1: 150},
    },
}

# Two threads against one, and sampling against scoring of autoregressive flows.
TWO_THREADS = {"train": 1.75, "score": 1.9, "sample": 1.9}
SAMPLING = 0.9

# A fit of two moons: rows of the table, a tenth of which is held out, epochs, batch, units of both hidden layers. Times the faster peer
# by threads; MiB at most.
MOONS, EPOCHS, BATCH, HIDDEN = 10_000, 50, 512, 64
FIT, FIT_MEMORY = {1: 7, 2: 11}, 25
# Milliseconds and MiB at most.
START = {"--help": (10, 10), "--version": (10, 10), "info": None}

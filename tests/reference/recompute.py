#!/usr/bin/env python3
"""Recomputes the log-densities of a biject model with torch, from the model file and the papers alone, and compares them with
what `biject score` prints. Knows gaussian, nice, realnvp, maf, nsf and nsf-coupling with plain or residual networks, mixed by `lu`.

    python3 tests/reference/recompute.py build/app/biject model.flow data.csv

Reads the model with json and numpy only; torch (Debian's python3-torch) differentiates: the log-determinant is that of the
autograd Jacobian of x -> z, not a formula. Exit 0 if the largest difference is below 1e-5 for a float32 model scored in
float32 (relative to 1 + |log_prob|), and below 1e-10 for `score --double`.
"""
import csv
import io
import json
import math
import subprocess
import sys

import numpy as np
import torch

torch.set_default_dtype(torch.float64)
FLOOR = 1e-3


def load(path):
    raw = open(path, "rb").read()
    n = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + n])
    meta = header.pop("__metadata__")
    body = raw[8 + n :]
    kinds = {"F32": np.float32, "F64": np.float64}
    tensors = {
        name: torch.tensor(
            np.frombuffer(body[t["data_offsets"][0] : t["data_offsets"][1]], kinds[t["dtype"]]).reshape(t["shape"]).astype(np.float64)
        )
        for name, t in header.items()
    }
    return meta, tensors


def activation(name):
    return torch.tanh if name == "tanh" else torch.relu


def network(t, prefix, spec, x, plain_linear=False):
    """x is a row vector; weights are inputs x outputs: y = x W + b."""
    act = activation(spec["activation"])
    w = lambda i: t[f"{prefix}.w{i}"].reshape(t[f"{prefix}.w{i}"].shape[0], -1)
    b = lambda i: t[f"{prefix}.b{i}"].reshape(-1)
    first = x @ w(0) if x.numel() else torch.zeros(w(0).shape[1])
    if spec["blocks"] > 0:
        h = first + b(0)
        for k in range(spec["blocks"]):
            u = act(act(h) @ w(2 * k + 1) + b(2 * k + 1))
            h = h + u @ w(2 * k + 2) + b(2 * k + 2)
        last = 2 * spec["blocks"] + 1
        return h @ w(last) + b(last)
    h = first + b(0)
    for i in range(1, len(spec["hidden"]) + 1):
        h = act(h) @ w(i) + b(i)
    return h


def shift(phi, x, spec):
    return x + phi[0]


def affine(phi, x, spec):
    s = phi[0] / torch.sqrt(1 + (phi[0] / 3) ** 2)
    return x * torch.exp(s) + phi[1]


def spline(phi, x, spec):
    """Durkan et al. 2019, section 3.1, for one real."""
    bins, bound = spec["bins"], spec["tail"]
    if abs(x.item()) > bound:
        return x
    size = lambda raw: 2 * bound * (FLOOR + (1 - bins * FLOOR) * torch.softmax(raw, 0))
    w, h = size(phi[:bins]), size(phi[bins : 2 * bins])
    one = torch.ones(1)
    inner = FLOOR + torch.nn.functional.softplus(phi[2 * bins :] + math.log(math.exp(1 - FLOOR) - 1))
    d = torch.cat([one, inner, one])
    kx = torch.cat([torch.zeros(1), torch.cumsum(w, 0)]) - bound
    ky = torch.cat([torch.zeros(1), torch.cumsum(h, 0)]) - bound
    k = min(max(int((kx.detach() <= x.detach()).sum()) - 1, 0), bins - 1)
    s = h[k] / w[k]
    xi = (x - kx[k]) / w[k]
    top = h[k] * (s * xi**2 + d[k] * xi * (1 - xi))
    return ky[k] + top / (s + (d[k] + d[k + 1] - 2 * s) * xi * (1 - xi))


MAPS = {"nice": (shift, 1), "realnvp": (affine, 2), "maf": (affine, 2)}


def flow(t, spec):
    """The map x -> z of one standardised row."""
    features = spec["features"]
    one_map, params = MAPS.get(spec["flow"], (spline, 3 * spec["bins"] - 1))

    def linear(x, prefix):
        lu = t[f"{prefix}.lu"].reshape(features, features)
        upper = torch.triu(lu, 1) + torch.diag(torch.exp(t[f"{prefix}.log_diagonal"].reshape(-1)))
        lower = torch.tril(lu, -1) + torch.eye(features)
        return x @ upper @ lower + t[f"{prefix}.bias"].reshape(-1)

    def layer(x, prefix):
        if "coupling" in prefix:
            kept = features // 2
            phi = network(t, prefix + ".net", spec, x[:kept])
            changed = [one_map(phi[i * params : (i + 1) * params], x[kept + i], spec).reshape(1) for i in range(features - kept)]
            return torch.cat([x[:kept], *changed])
        phi = network(t, prefix + ".net", spec, x)
        return torch.cat([one_map(phi[d * params : (d + 1) * params], x[d], spec).reshape(1) for d in range(features)])

    def forward(x):
        if spec["flow"] == "gaussian":
            return linear(x, "0.lu")
        kind = "coupling" if spec["flow"] in ("nice", "realnvp", "nsf-coupling") else "autoregressive"
        for i in range(spec["layers"]):  # transformation, reversal, linear map
            x = layer(x, f"{3 * i}.{kind}")
            x = linear(torch.flip(x, [0]), f"{3 * i + 2}.lu")
        return x

    return forward


def base_log_prob(t, spec, z):
    if spec["base"] == "normal":
        return torch.distributions.Normal(0.0, 1.0).log_prob(z).sum()
    freedom = 1 + torch.exp(t["base.log_excess"].reshape(-1))
    return torch.distributions.StudentT(freedom).log_prob(z).sum()


def main():
    binary, model, table = sys.argv[1:4]
    meta, t = load(model)
    spec, columns = json.loads(meta["flow"]), json.loads(meta["columns"])
    assert spec["mix"] == "lu" and spec["context"] == 0
    scaling = json.loads(meta["preprocessing"])
    print(f"{model}: {spec['flow']}, {spec['features']} columns, {sum(x.numel() for x in t.values())} numbers")
    names = [c["name"] for c in columns]
    mean, scale = np.array(scaling["mean"]), np.array(scaling["scale"])
    rows = list(csv.DictReader(open(table)))[:200]
    x = np.array([[float(r[n]) for n in names] for r in rows])
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(names)
    writer.writerows([[repr(v) for v in row] for row in x.tolist()])
    forward = flow(t, spec)
    expected = []
    for row in (x - mean) / scale:
        at = torch.tensor(row)
        jacobian = torch.autograd.functional.jacobian(forward, at)
        z = forward(at)
        expected.append((base_log_prob(t, spec, z) + torch.linalg.slogdet(jacobian)[1]).item() - np.log(scale).sum())
    expected = np.array(expected)
    worst = {}
    for flag, allowed in (("--double", 1e-10), (None, 1e-5)):
        command = [binary, "score", model, "-"] + ([flag] if flag else [])
        out = subprocess.run(command, input=text.getvalue(), capture_output=True, text=True, check=True).stdout
        found = np.array([float(v) for v in out.split()[1:]])
        error = np.max(np.abs(found - expected) / (1 + np.abs(expected)))
        worst[flag or "float32"] = error
        print(f"  {flag or 'float32'}: largest difference {error:.2e} over {len(found)} rows (allowed {allowed:g})")
        if not error < allowed:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

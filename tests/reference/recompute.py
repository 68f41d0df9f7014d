#!/usr/bin/env python3
"""Recomputes the log-densities of biject models, and their gradients, with torch: from the model file and the papers alone.

    python3 tests/reference/recompute.py BIJECT GRADIENTS CSV [FLOW …]

Fits every flow of the catalogue and of VARIANTS, or those named (flags of `biject fit` may stand behind a name: "maf --mix none"), to CSV
for a few epochs in float64, plain and given the first column, reads the models with json and numpy, and compares what `biject score`
prints with log p_base(f(x)) + log|det ∂f/∂x|, where f is written below, one short function a flow, and the Jacobian is that of autograd.
GRADIENTS is the program biject_gradients; its gradient of the mean is compared with autograd's. Both on rows of CSV and on some far from
them. Fails if a log_prob differs by more than 1e-9 · (1 + |log_prob|), or a gradient by more than 1e-7 · (1 + the largest of its tensor).
"""
import csv
import itertools
import json
import math
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch
from torch.nn.functional import logsigmoid

torch.set_default_dtype(torch.float64)
ROWS = 200
VARIANTS = [  # parts that no flow has by default
    "maf --mix reverse",
    "maf --mix permute",
    "maf --mix none",
    "realnvp --mix none",
    "maf --base student",
    "nsf --blocks 1 --hidden 12",
    "maf --mix qr",
    "maf --mix householder",
    "maf --base laplace",
    "maf --base logistic",
    "maf --base mixture --components 3",
    "nsf --base uniform --tail 9",
    "naf --scheme elementwise",
    "naf --scheme coupling",
    "mixture --component-flow realnvp --components 3",
]
FLOOR = 1e-3
UNIT_SLOPE = math.log(math.expm1(1 - FLOOR))  # FLOOR + softplus of this is 1


# --- reading a model ---------------------------------------------------------------------------------------------------------------


class Model:
    def __init__(self, path):
        raw = open(path, "rb").read()
        n = int.from_bytes(raw[:8], "little")
        header = json.loads(raw[8 : 8 + n])
        meta = header.pop("__metadata__")
        self.spec = json.loads(meta["flow"])
        self.columns = json.loads(meta["columns"])
        self.scaling = json.loads(meta["preprocessing"])
        kinds = {"F32": np.float32, "F64": np.float64}
        body = raw[8 + n :]
        self.tensors = {
            name: torch.tensor(np.frombuffer(body[slice(*t["data_offsets"])], kinds[t["dtype"]]).reshape(t["shape"]).astype(float))
            for name, t in header.items()
        }

    def differentiable(self):
        for tensor in self.tensors.values():
            tensor.requires_grad_()
        return self


class Scope:
    """The tensors below a name: s["w0"] is NAME.w0, s / "net" the scope NAME.net, "w0" in s whether there is one."""

    def __init__(self, tensors, prefix=""):
        self.tensors, self.prefix = tensors, prefix

    def __truediv__(self, name):
        return Scope(self.tensors, f"{self.prefix}{name}.")

    def __getitem__(self, name):
        return self.tensors[self.prefix + name]

    def __contains__(self, name):
        return self.prefix + name in self.tensors

    def vector(self, name):
        return self[name].reshape(-1)


# --- parts: rows are samples -------------------------------------------------------------------------------------------------------


def softplus(x):
    return -logsigmoid(-x)  # torch has one that is x beyond 20


def soft_clamp(x, bound):
    return x / torch.sqrt(1 + (x / bound) ** 2)


def above_minus_one(a, s=1 - 1e-3):
    return a + torch.sqrt(a * a + s * s) - s


def network(s, spec, x, context, hidden=None, blocks=None, activation=None):
    """x n × I, possibly without columns; weights are inputs × outputs: y = x W + b. Masks are zeros in the weights."""
    hidden = spec["hidden"] if hidden is None else hidden
    blocks = spec["blocks"] if blocks is None else blocks
    act = {"tanh": torch.tanh, "relu": torch.relu}[activation or spec["activation"]]
    width = s.vector("b0").numel()
    h = s.vector("b0").expand(len(x), -1)
    if x.shape[1] > 0:
        h = h + x @ s["w0"].reshape(x.shape[1], width)
    if context.shape[1] > 0:
        h = h + context @ s["v"].reshape(context.shape[1], width)
    if blocks > 0:
        for k in range(blocks):
            u = act(act(h) @ s[f"w{2 * k + 1}"] + s.vector(f"b{2 * k + 1}"))
            h = h + u @ s[f"w{2 * k + 2}"] + s.vector(f"b{2 * k + 2}")
        last = 2 * blocks + 1
        return h @ s[f"w{last}"] + s.vector(f"b{last}")
    for i in range(1, len(hidden) + 1):
        h = act(h) @ s[f"w{i}"].reshape(h.shape[1], -1) + s.vector(f"b{i}")
    return h


def of_context(s, spec, context, n):
    """A network whose only input is the context; without context, its bias."""
    nothing = torch.zeros(n, 0)
    if context.shape[1] == 0:
        return s.vector("b0").expand(n, -1)
    return network(s, spec, nothing, context)


def lu_linear(s, x):
    features = x.shape[1]
    lu = s["lu"].reshape(features, features)
    upper = torch.triu(lu, 1) + torch.diag(torch.exp(s.vector("log_diagonal")))
    lower = torch.tril(lu, -1) + torch.eye(features)
    return x @ upper @ lower + s.vector("bias")


def qr_linear(s, x):
    """Hoogeboom et al. 2019, section 4.2: a rotation and a triangle."""
    upper = torch.triu(s["r"], 1) + torch.diag(torch.exp(s.vector("log_diagonal")))
    return x @ reflections(s["v"]) @ upper + s.vector("bias")


def reflections(v):
    """H_1 H_2 …, v D × k."""
    q = torch.eye(v.shape[0])
    for k in range(v.shape[1]):
        q = q @ (torch.eye(v.shape[0]) - 2 * torch.outer(v[:, k], v[:, k]) / (v[:, k] @ v[:, k]))
    return q


# --- maps of one real: phi n × P, x n ----------------------------------------------------------------------------------------------


def shift(phi, x, spec):
    return x + phi[:, 0]


def affine(phi, x, spec):
    return x * torch.exp(soft_clamp(phi[:, 0], 3)) + phi[:, 1]


def parts_of(raw, length):
    """Positive lengths that add up to `length`."""
    return length * (FLOOR + (1 - raw.shape[1] * FLOOR) * torch.softmax(raw, 1))


def knots(lengths, bound):
    return torch.cat([torch.zeros(len(lengths), 1), torch.cumsum(lengths, 1)], 1) - bound


def bin_of(edges, x):
    k = (edges[:, :-1].detach() <= x.detach()[:, None]).sum(1) - 1
    return k.clamp(0, edges.shape[1] - 2)[:, None]


def at(table, k):
    return torch.gather(table, 1, k)[:, 0]


def inside(x, bound, value):
    return torch.where(x.abs() <= bound, value, x)


def rational_quadratic(w, h, d, x, bound):
    """Durkan et al. 2019, equation 4; d: K + 1 slopes."""
    kx, ky = knots(w, bound), knots(h, bound)
    clamped = x.clamp(-bound, bound)
    k = bin_of(kx, clamped)
    s, xi = at(h, k) / at(w, k), (clamped - at(kx, k)) / at(w, k)
    d0, d1 = at(d, k), at(d, k + 1)
    top = at(h, k) * (s * xi**2 + d0 * xi * (1 - xi))
    return at(ky, k) + top / (s + (d0 + d1 - 2 * s) * xi * (1 - xi))


def rq_spline(phi, x, spec):
    bins, bound = spec["bins"], spec["tail"]
    one = torch.ones(len(x), 1)
    d = torch.cat([one, FLOOR + softplus(phi[:, 2 * bins :] + UNIT_SLOPE), one], 1)
    w, h = parts_of(phi[:, :bins], 2 * bound), parts_of(phi[:, bins : 2 * bins], 2 * bound)
    return inside(x, bound, rational_quadratic(w, h, d, x, bound))


def circular_rq_spline(phi, x, spec):
    """Rezende et al. 2020, section 2.1.1."""
    bins, bound = spec["bins"], spec["tail"]
    d = FLOOR + softplus(phi[:, 2 * bins : 3 * bins] + UNIT_SLOPE)
    w, h = parts_of(phi[:, :bins], 2 * bound), parts_of(phi[:, bins : 2 * bins], 2 * bound)
    turned = rational_quadratic(w, h, torch.cat([d, d[:, :1]], 1), x, bound) + phi[:, 3 * bins]
    wrapped = turned - 2 * bound * torch.floor((turned.detach() + bound) / (2 * bound))
    return torch.where((x >= -bound) & (x < bound), wrapped, x)


def linear_spline(phi, x, spec):
    """Müller et al. 2019, section 4.2."""
    bins, bound = spec["bins"], spec["tail"]
    h = parts_of(phi, 2 * bound)
    w = torch.full_like(h, 2 * bound / bins)
    clamped = x.clamp(-bound, bound)
    k = bin_of(knots(w, bound), clamped)
    return inside(x, bound, at(knots(h, bound), k) + at(h, k) / at(w, k) * (clamped - at(knots(w, bound), k)))


def quadratic_spline(phi, x, spec):
    """Müller et al. 2019, section 4.3, with slope 1 at both ends."""
    bins, bound = spec["bins"], spec["tail"]
    w, e = parts_of(phi[:, :bins], 2 * bound), torch.exp(phi[:, bins:])
    area = (w[:, :-1] + w[:, 1:]) / 2
    total, norm = area.sum(1, keepdim=True), (area * e).sum(1, keepdim=True)
    one = torch.ones(len(x), 1)
    v = torch.cat([one, FLOOR + (1 - FLOOR) * total / norm * e, one], 1)
    kx, kz = knots(w, bound), knots(w * (v[:, :-1] + v[:, 1:]) / 2, bound)
    clamped = x.clamp(-bound, bound)
    k = bin_of(kx, clamped)
    u = clamped - at(kx, k)
    return inside(x, bound, at(kz, k) + u * (at(v, k) + (at(v, k + 1) - at(v, k)) * u / at(w, k) / 2))


def cubic_spline(phi, x, spec):
    """Fritsch, Carlson 1980: the Hermite cubic with slopes inside their box."""
    bins, bound = spec["bins"], spec["tail"]
    w, h = parts_of(phi[:, :bins], 2 * bound), parts_of(phi[:, bins : 2 * bins], 2 * bound)
    s = h / w
    low, high = 0.02, 0.98
    share = (math.sqrt(2) / 3 - low) / (high - low)
    part = low + (high - low) * torch.sigmoid(phi[:, 2 * bins :] + math.log(share / (1 - share)))
    inner = 3 * part * s[:, :-1] * s[:, 1:] / torch.sqrt(s[:, :-1] ** 2 + s[:, 1:] ** 2)
    ends = [torch.minimum(torch.ones(len(x)), 3 * high * s[:, i])[:, None] for i in (0, -1)]
    d = torch.cat([ends[0], inner, ends[1]], 1)
    clamped = x.clamp(-bound, bound)
    kx = knots(w, bound)
    k = bin_of(kx, clamped)
    xi = (clamped - at(kx, k)) / at(w, k)
    d0, d1, height, width = at(d, k), at(d, k + 1), at(h, k), at(w, k)
    z = height * xi**2 * (3 - 2 * xi) + width * (d0 * xi * (1 - xi) ** 2 - d1 * xi**2 * (1 - xi))
    return inside(x, bound, at(knots(h, bound), k) + z)


def linear_rational_spline(phi, x, spec):
    """Dolatabadi et al. 2020, algorithm 1: weights of Fuhr and Kallay."""
    bins, bound = spec["bins"], spec["tail"]
    w, h = parts_of(phi[:, :bins], 2 * bound), parts_of(phi[:, bins : 2 * bins], 2 * bound)
    one = torch.ones(len(x), 1)
    d = torch.cat([one, FLOOR + softplus(phi[:, 2 * bins : 3 * bins - 1] + UNIT_SLOPE), one], 1)
    lam = 1 / 40 + 19 / 20 * torch.sigmoid(phi[:, 3 * bins - 1 :])
    kx, ky = knots(w, bound), knots(h, bound)
    clamped = x.clamp(-bound, bound)
    k = bin_of(kx, clamped)
    ya, yb, da, db, l = at(ky, k), at(ky, k + 1), at(d, k), at(d, k + 1), at(lam, k)
    xi, s = (clamped - at(kx, k)) / at(w, k), at(h, k) / at(w, k)
    wa, wb = 1.0, torch.sqrt(da / db)
    wc = (l * wa * da + (1 - l) * wb * db) / s
    yc = ((1 - l) * wa * ya + l * wb * yb) / ((1 - l) * wa + l * wb)
    left = (wa * ya * (l - xi) + wc * yc * xi) / (wa * (l - xi) + wc * xi)
    right = (wc * yc * (1 - xi) + wb * yb * (xi - l)) / (wc * (1 - xi) + wb * (xi - l))
    return inside(x, bound, torch.where(xi <= l, left, right))


def with_straight_ends(f, x, bound):
    """f on [−B, B], outside a straight line with the slope at that end."""
    u = x.clamp(-bound, bound)
    v = f(u)
    return v + torch.autograd.grad(v.sum(), u, create_graph=True)[0] * (x - u)


def bernstein(phi, x, spec):
    """Ramasinghe et al. 2021, section 3: coefficients that rise from -bound to bound, with slope 1 at both ends."""
    degree, bound = spec["bins"], spec["tail"]
    end = torch.ones(len(x), 1)
    rises = torch.cat([end, FLOOR + (1 - FLOOR) * (degree - 2) * torch.softmax(phi, 1), end], 1)
    c = torch.cat([torch.zeros(len(x), 1), torch.cumsum(2 * bound / degree * rises, 1)], 1) - bound

    def polynomial(at):
        u = (at + bound) / (2 * bound)
        return sum(c[:, k] * math.comb(degree, k) * u**k * (1 - u) ** (degree - k) for k in range(degree + 1))

    return with_straight_ends(polynomial, x, bound)


def chebyshev(a, v):
    """Σ aₗ Tₗ(v)."""
    t = [torch.ones_like(v), v]
    for _ in range(a.shape[1] - 2):
        t.append(2 * v * t[-1] - t[-2])
    return sum(a[:, l] * t[l] for l in range(a.shape[1]))


def sum_of_squares(phi, x, spec):
    """Jaini et al. 2019, section 3: two squares; Gauss's rule of r + 1 nodes is exact for their degree 2r."""
    count, bound = spec["bins"] + 1, spec["tail"]
    a = phi[:, 1:] + math.sqrt(1 - FLOOR) * torch.eye(1, 2 * count)
    density = lambda v: FLOOR + chebyshev(a[:, :count], v) ** 2 + chebyshev(a[:, count:], v) ** 2
    nodes, weights = np.polynomial.legendre.leggauss(count)
    integral = lambda u: sum(w * u / 2 * density(u / 2 * (1 + node)) for node, w in zip(nodes, weights))
    return with_straight_ends(lambda at: phi[:, 0] + bound * integral(at / bound), x, bound)


def starting_mixture(k, spread, variance):
    """k equal distances inside (−spread, spread), and the 1/scale with which they have the variance of one kernel in all."""
    centres = spread * (2 * torch.arange(k) + 1 - k) / k
    return centres, (1 - centres.square().mean() / variance) ** -0.5


def with_share_of_identity(q, x):
    return FLOOR * x + (1 - FLOOR) * q


def logistic_quantile(raw_weights, y):
    """logit Σ w σ(y)."""
    log_w = torch.log_softmax(raw_weights, 1)
    return torch.logsumexp(log_w + logsigmoid(y), 1) - torch.logsumexp(log_w + logsigmoid(-y), 1)


def normal_quantile(raw_weights, y):
    """Φ⁻¹(Σ w Φ(y)), from the smaller tail."""
    w = torch.softmax(raw_weights, 1)
    below, above = [(w * torch.erfc(side * y / math.sqrt(2)) / 2).sum(1) for side in (-1, 1)]
    return torch.sign(above - below) * torch.special.ndtri(torch.minimum(below, above))


def deep_sigmoid(phi, x, spec):
    """Huang et al. 2018, equation 8."""
    k = spec["bins"]
    centres, slope = starting_mixture(k, 1, math.pi**2 / 3)
    a = softplus(phi[:, k : 2 * k] + torch.log(torch.expm1(slope)))
    b = phi[:, 2 * k :] - slope * centres
    return with_share_of_identity(logistic_quantile(phi[:, :k], a * x[:, None] + b), x)


def standardised(phi, x, k, spread, variance):
    centres, slope = starting_mixture(k, spread, variance)
    return (x[:, None] - phi[:, k : 2 * k] - centres) * slope * torch.exp(-soft_clamp(phi[:, 2 * k : 3 * k], 3))


def logistic_mixture(phi, x, spec):
    """Ho et al. 2019, equation 4 and the affine map after it."""
    k = spec["bins"]
    q = logistic_quantile(phi[:, :k], standardised(phi, x, k, 1, math.pi**2 / 3))
    return affine(phi[:, 3 * k :], with_share_of_identity(q, x), spec)


def gaussian_mixture(phi, x, spec):
    """Meng et al. 2020, section 3."""
    k = spec["bins"]
    return with_share_of_identity(normal_quantile(phi[:, :k], standardised(phi, x, k, 0.75, 1)), x)


def lambert_w(phi, x, spec):
    """Goerg 2015, equation 10, with straight lines beyond |z| = 8."""
    u = affine(phi, x, spec)
    delta = torch.sigmoid(torch.where(u < 0, phi[:, 2], phi[:, 3]) + math.log(0.05 / 0.95))
    end = 8 * torch.exp(32 * delta)
    inner = torch.maximum(torch.minimum(u, end), -end)
    q = delta * inner**2
    newton = lambda w: w - (w - q * torch.exp(-w)) / (1 + w)
    with torch.no_grad():
        w = torch.log1p(q)
        for _ in range(50):
            w = newton(w)
    w = newton(newton(w))  # from the solution: the first step makes dw/dq right, the second d²w/dq²
    return (inner + (u - inner) / (1 + w)) * torch.exp(-w / 2)


def sinh_arcsinh(phi, x, spec):
    """Jones, Pewsey 2009, equation 1, with straight lines beyond |z| = 8."""
    u, skew, delta = affine(phi, x, spec), soft_clamp(phi[:, 2], 2), torch.exp(soft_clamp(phi[:, 3], 2))
    low, high = (torch.sinh((side * math.asinh(8) + skew) / delta) for side in (-1, 1))
    inner = torch.maximum(torch.minimum(u, high), low)
    y = delta * torch.asinh(inner) - skew
    return torch.sinh(y) + (u - inner) * delta * torch.cosh(y) / torch.sqrt(1 + inner**2)


def unconstrained_monotone(phi, x, spec):
    """Wehenkel, Louppe 2019, equation 1, with 200 Gauss-Legendre nodes; the slope is constant beyond the bound."""
    bins, bound, steep, turn = spec["bins"], spec["tail"], 6, 3
    shift, c = phi[:, 0], soft_clamp(phi[:, 1], 3)
    v, a, b = phi[:, 2:].reshape(len(x), 3, bins).unbind(1)
    v = turn * v / torch.sqrt(v**2 + (turn / bins) ** 2).sum(1, keepdim=True)
    a = soft_clamp(a, steep)

    def slope(y):  # of n × nodes
        bends = torch.tanh(a[:, None] * (y / bound)[:, :, None] + b[:, None])
        return torch.exp(c[:, None] + (v[:, None] * bends).sum(2))

    nodes, weights = (torch.tensor(part) for part in np.polynomial.legendre.leggauss(200))
    end = x.clamp(-bound, bound)[:, None]
    return shift + (end * slope(end * (nodes + 1) / 2) @ weights[:, None] / 2 + slope(end) * (x[:, None] - end))[:, 0]


# --- whole rows --------------------------------------------------------------------------------------------------------------------


def planar(s, spec, x, context):
    """Rezende, Mohamed 2015, equation 10 and appendix A.1 with another m."""
    phi, n = of_context(s / "net", spec, context, len(x)), x.shape[1]
    w, u, b = phi[:, :n], phi[:, n : 2 * n], phi[:, 2 * n]
    wu = (w * u).sum(1)
    u = u + ((above_minus_one(wu) - wu) / (w * w).sum(1))[:, None] * w
    return x + u * torch.tanh((w * x).sum(1) + b)[:, None]


def radial(s, spec, x, context):
    """Rezende, Mohamed 2015, equation 14."""
    phi, n = of_context(s / "net", spec, context, len(x)), x.shape[1]
    alpha = torch.exp(soft_clamp(phi[:, n], 10))
    beta = alpha * above_minus_one(phi[:, n + 1])
    d = x - phi[:, :n]
    return x + (beta / (alpha + torch.sqrt((d * d).sum(1))))[:, None] * d


def actnorm(s, x):
    return (x + s.vector("shift")) * torch.exp(s.vector("log_scale"))


def sylvester(s, spec, x, context):
    """Van den Berg et al. 2018, equation 13, with Q by Householder as in section 3.2 and the m of planar."""
    rank = s["v"].shape[1]
    q = reflections(s["v"]).T[:, :rank]
    b, p, diagonal2 = of_context(s / "net", spec, context, len(x)).split(rank, 1)
    diagonal1 = p * above_minus_one(p * diagonal2) / (p * diagonal2)
    y = x @ q
    t = torch.tanh(diagonal2 * y + y @ torch.triu(s["r2"], 1).T + b)
    return x + (diagonal1 * t + t @ torch.triu(s["r1"], 1).T) @ q.T


def block_autoregressive(s, spec, x, context):
    """De Cao et al. 2019, section 3: columns of weights are e^s · v/|v|, v > 0 in the block of a feature's own units."""
    n, h = x.shape[1], x
    exponential = lambda raw: torch.exp(soft_clamp(raw, 7))
    for i in range(len(spec["hidden"]) + 1):
        outputs = s.vector(f"b{i}").numel() // n
        raw = s[f"w{i}"].reshape(h.shape[1], n * outputs)
        is_own = torch.block_diag(*[torch.ones(h.shape[1] // n, outputs)] * n) > 0
        v = torch.where(is_own, exponential(raw), raw)
        h = torch.tanh(h) if i > 0 else h
        h = h @ (exponential(s.vector(f"log_scale{i}")) * v / v.norm(dim=0)) + s.vector(f"b{i}")
        if i == 0 and context.shape[1] > 0:
            h = h + context @ s["v"].reshape(context.shape[1], -1)
    return x * exponential(s.vector("log_slope")) + h


def residual(s, spec, x, context):
    """Behrmann et al. 2019: x + g(x), every weight divided by a bound of its norm, here from the Schatten 64-norm."""
    depth = len(spec["hidden"]) + 1
    h = x
    for i in range(depth):
        w = s[f"w{i}"].reshape(h.shape[1], -1)
        norm = torch.linalg.matrix_power(w.T @ w, 32).trace()  # to the power 64
        h = h @ (w * 0.97 ** (1 / depth) / (1 + norm) ** (1 / 64)) + s.vector(f"b{i}")
        if i == 0 and context.shape[1] > 0:
            h = h + context @ s["v"].reshape(context.shape[1], -1)
        h = torch.tanh(h) if i + 1 < depth else h
    return x + h


def field(s, spec, x, t, context):
    inputs = torch.cat([x, torch.full((len(x), 1), t)], 1)
    return network(s, spec, inputs, context, blocks=0, activation="tanh")


def runge_kutta(f, state, steps):
    """Kutta's method of order 4 for d state/dt = f(t, state), t from 0 to 1; state a list of tensors."""
    h = 1 / steps
    move = lambda by, k: [a + by * b for a, b in zip(state, k)]
    for i in range(steps):
        t = i * h
        k1 = f(t, state)
        k2 = f(t + h / 2, move(h / 2, k1))
        k3 = f(t + h / 2, move(h / 2, k2))
        k4 = f(t + h, move(h, k3))
        state = [a + h / 6 * (p + 2 * q + 2 * r + u) for a, p, q, r, u in zip(state, k1, k2, k3, k4)]
    return state


def divergence(v, x):
    return sum(torch.autograd.grad(v[:, d].sum(), x, create_graph=True)[0][:, d] for d in range(x.shape[1]))


def continuous(s, spec, x, context, logdet):
    """Chen et al. 2018. In use: the solution, to 200 fine steps. In training (logdet is a tensor): 8 coarse ones, which carry
    the integral of the divergence along."""
    if logdet is None:
        return runge_kutta(lambda t, state: [field(s, spec, state[0], t, context)], [x], 200)[0], None

    def moves(t, state):
        at = state[0] if state[0].requires_grad else state[0].requires_grad_()
        v = field(s, spec, at, t, context)
        return [v, divergence(v, at)]

    return tuple(runge_kutta(moves, [x, logdet], 8))


# --- bases -------------------------------------------------------------------------------------------------------------------------


def base_log_prob(s, spec, z, context):
    kind, d = spec["base"], torch.distributions
    if kind == "student":
        return d.StudentT(1 + torch.exp(s.vector("log_excess"))).log_prob(z).sum(1)
    if kind == "laplace":
        return d.Laplace(0.0, 1.0).log_prob(z).sum(1)
    if kind == "logistic":
        return (-z - 2 * softplus(-z)).sum(1)
    if kind == "uniform":
        return torch.full((len(z),), -z.shape[1] * math.log(2 * spec["tail"])) + 0 * z.sum(1)
    if kind == "mixture":
        means, scales = s["means"].reshape(z.shape[1], -1), torch.exp(soft_clamp(s["raw_scales"].reshape(z.shape[1], -1), 5))
        each = d.Normal(means, scales).log_prob(z[:, :, None]).sum(1)
        return torch.logsumexp(torch.log_softmax(s.vector("logits"), 0) + each, 1)
    if kind == "made-mog":
        k = spec["components"]
        phi = network(s / "net", spec, z, context).reshape(len(z), z.shape[1], 3 * k)
        each = d.Normal(phi[:, :, k : 2 * k], torch.exp(soft_clamp(phi[:, :, 2 * k :], 5))).log_prob(z[:, :, None])
        return torch.logsumexp(torch.log_softmax(phi[:, :, :k], 2) + each, 2).sum(1)
    return d.Normal(0.0, 1.0).log_prob(z).sum(1)


# --- flows: layers × (transformation, mixing) --------------------------------------------------------------------------------------

#        map, numbers of its φ for K bins, scheme
MAPS = {
    "nice": (shift, lambda k: 1, "coupling"),
    "realnvp": (affine, lambda k: 2, "coupling"),
    "maf": (affine, lambda k: 2, "autoregressive"),
    "maf-mog": (affine, lambda k: 2, "autoregressive"),
    "nsf": (rq_spline, lambda k: 3 * k - 1, "autoregressive"),
    "nsf-coupling": (rq_spline, lambda k: 3 * k - 1, "coupling"),
    "nsf-circular": (circular_rq_spline, lambda k: 3 * k + 1, "autoregressive"),
    "linear-spline": (linear_spline, lambda k: k, "autoregressive"),
    "quadratic-spline": (quadratic_spline, lambda k: 2 * k - 1, "autoregressive"),
    "cubic-spline": (cubic_spline, lambda k: 3 * k - 1, "autoregressive"),
    "lrs": (linear_rational_spline, lambda k: 4 * k - 1, "autoregressive"),
    "bernstein": (bernstein, lambda k: k - 2, "autoregressive"),
    "sos": (sum_of_squares, lambda k: 2 * k + 3, "autoregressive"),
    "naf": (deep_sigmoid, lambda k: 3 * k, "autoregressive"),
    "unaf": (unconstrained_monotone, lambda k: 3 * k + 2, "autoregressive"),
    "flow++": (logistic_mixture, lambda k: 3 * k + 2, "coupling"),
    "gaussianization": (gaussian_mixture, lambda k: 3 * k, "elementwise"),
    "lambert-w": (lambert_w, lambda k: 4, "autoregressive"),
    "sinh-arcsinh": (sinh_arcsinh, lambda k: 4, "autoregressive"),
}


def each_column(one_map, params, phi, x, spec):
    columns = [one_map(phi[:, d * params : (d + 1) * params], x[:, d], spec) for d in range(x.shape[1])]
    return torch.stack(columns, 1)


def coupling(s, spec, x, context, one_map, params, is_flipped=False):
    kept, changed = x.shape[1] // 2, x.shape[1] - x.shape[1] // 2
    a, b = x.split([changed, kept], 1)[::-1] if is_flipped else x.split([kept, changed], 1)
    b = each_column(one_map, params, network(s / "net", spec, a, context), b, spec)
    return torch.cat([b, a] if is_flipped else [a, b], 1)


def autoregressive(s, spec, x, context, one_map, params):
    return each_column(one_map, params, network(s / "net", spec, x, context), x, spec)


def inverse_autoregressive(s, spec, x, context):
    """Kingma et al. 2016: the network sees z, column by column."""
    z = torch.zeros(len(x), 0)
    for d in range(x.shape[1]):
        known = torch.cat([z, torch.zeros(len(x), x.shape[1] - d)], 1)
        phi = network(s / "net", spec, known, context)[:, 2 * d : 2 * d + 2]
        z = torch.cat([z, affine(phi, x[:, d], spec)[:, None]], 1)
    return z


def elementwise(s, spec, x, context, one_map, params):
    return each_column(one_map, params, of_context(s / "net", spec, context, len(x)), x, spec)


def philox(counter, key):
    """Salmon et al. 2011: 4 × 32 bits, ten rounds."""
    (a, b, c, d), (k, l), low = counter, key, 0xFFFFFFFF
    for _ in range(10):
        p, q = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (q >> 32) ^ b ^ k, q & low, (p >> 32) ^ d ^ l, p & low
        k, l = (k + 0x9E3779B9) & low, (l + 0xBB67AE85) & low
    return a, b, c, d


def random_order(features, number):
    """By the first 52 random bits of every index in stream 5, permutations."""
    words = [philox((0, 5, i, 0), (number, 0)) for i in range(features)]
    return sorted(range(features), key=lambda i: (words[i][0] << 32 | words[i][1]) >> 12)


def mixed(place, s, spec, x, is_last):
    """What stands from `place` on after a layer, and the place after it. The last one is what starts as the whitening."""
    mix = spec["mix"]
    if mix == "lu":
        return lu_linear(s / f"{place + 1}.lu", x.flip(1)), place + 2
    if mix == "qr":
        return qr_linear(s / f"{place}.qr", x), place + 1
    if mix == "householder" and is_last:
        return lu_linear(s / f"{place}.lu", x), place + 1
    if mix == "householder":
        return x @ reflections(s[f"{place}.householder.v"]), place + 1
    if is_last and spec["base"] != "uniform":
        return actnorm(s / f"{place}.actnorm", x), place + 1
    if mix == "none":
        return x, place
    return (x.flip(1) if mix == "reverse" else x[:, random_order(x.shape[1], place)]), place + 1


ROWS_OF = {"planar": planar, "radial": radial, "sylvester": sylvester}


def transform(s, spec, x, context, logdet):
    """x → z; logdet: None in use, a tensor in training, to which only cnf adds (the rest is left to the Jacobian)."""
    name, layer = spec["flow"], 0
    if name == "gaussian":
        z = lu_linear(s / "0.lu", x)
        return (z + of_context(s / "1.shift" / "net", {**spec, "hidden": [], "blocks": 0}, context, len(x)) if context.shape[1] else z), logdet
    if name == "made-mog":
        return transform(s, {**spec, "flow": "gaussian"}, x, context, logdet)
    if name == "flow-matching":
        return continuous(s / "1.continuous", spec, lu_linear(s / "0.lu", x), context, logdet)
    if name in (*ROWS_OF, "residual", "cnf") and context.shape[1] > 0:
        x, layer = elementwise(s / "0.context", spec, x, context, affine, 2), 1
    for i in range(spec["layers"]):
        if name in MAPS:
            one_map, params, scheme = MAPS[name]
            scheme = spec["scheme"] or scheme
            apply = {"coupling": coupling, "autoregressive": autoregressive, "elementwise": elementwise}[scheme]
            flipped = {"is_flipped": spec["mix"] == "none" and i % 2 == 1} if scheme == "coupling" else {}
            x = apply(s / f"{layer}.{scheme}", spec, x, context, one_map, params(spec["bins"]), **flipped)
        elif name in ROWS_OF:
            x, layer = ROWS_OF[name](s / f"{layer}.{name}", spec, x, context), layer + 1
            continue
        elif name == "glow":
            x, layer = actnorm(s / f"{layer}.actnorm", x), layer + 1
            x = coupling(s / f"{layer}.coupling", spec, x, context, affine, 2)
        elif name == "iaf":
            x = inverse_autoregressive(s / f"{layer}.inverse", spec, x, context)
        elif name == "bnaf":
            x = block_autoregressive(s / f"{layer}.block", spec, x, context)
        elif name == "residual":
            x = residual(s / f"{layer}.residual", spec, x, context)
        elif name == "cnf":
            x, logdet = continuous(s / f"{layer}.continuous", spec, x, context, logdet)
        else:
            raise NotImplementedError(f"there is no function of {name} here")
        x, layer = mixed(layer + 1, s, spec, x, i + 1 == spec["layers"])
    return (lu_linear(s / f"{layer}.lu", x) if name in ROWS_OF else x), logdet


LINEAR = ("log_diagonal", "actnorm.log_scale")  # tensors that add up to the log-determinants of linear maps


def jacobian_logdet(z, x):
    rows = [torch.autograd.grad(z[:, d].sum(), x, create_graph=True)[0] for d in range(z.shape[1])]
    return torch.linalg.slogdet(torch.stack(rows, 1))[1]


def one_log_prob(s, spec, x, context, is_training):
    x = x.clone().requires_grad_()
    if spec["flow"] in ("cnf", "flow-matching") and is_training:
        # The log-determinants of the linear maps and of the scales, and the integrals of the divergences, are added up here: the
        # Jacobian of the coarse steps is not what training computes.
        z, integral = transform(s, spec, x, context, torch.zeros(len(x)))
        linear = sum(t.sum() for name, t in s.tensors.items() if name.startswith(s.prefix) and name.endswith(LINEAR))
        scales = torch.zeros(len(x))
        if f"0.context.net.b0" in s:
            phi = of_context(s / "0.context" / "net", spec, context, len(x))
            scales = soft_clamp(phi[:, 0::2], 3).sum(1)
        return base_log_prob(s / "base", spec, z, context) + integral + linear + scales
    z, _ = transform(s, spec, x, context, None)
    return base_log_prob(s / "base", spec, z, context) + jacobian_logdet(z, x)


def log_prob(model, x, context, is_training=False):
    s, spec = Scope(model.tensors), model.spec
    if spec["flow"] != "mixture":
        return one_log_prob(s, spec, x, context, is_training)
    component = {**spec, "flow": spec["component_flow"]}
    gate = {**spec, "hidden": [], "blocks": 0}
    weights = torch.log_softmax(of_context(s / "gate" / "net", gate, context, len(x)), 1)
    each = [one_log_prob(s / f"component{k}", component, x, context, is_training) for k in range(spec["components"])]
    return torch.logsumexp(weights + torch.stack(each, 1), 1)


# --- the comparison ----------------------------------------------------------------------------------------------------------------


def errors(biject, gradients, model_path, rows, folder):
    """Of log_prob, relative to 1 + |log_prob|, and of the gradient, relative to 1 + the largest of the same tensor."""
    model = Model(model_path)
    table, grad_path = os.path.join(folder, "rows.csv"), os.path.join(folder, "gradient.flow")
    with open(table, "w") as file:
        csv.writer(file).writerows([[c["name"] for c in model.columns], *rows.tolist()])
    mean, scale = torch.tensor(model.scaling["mean"]), torch.tensor(model.scaling["scale"])
    is_given = torch.tensor([c["given"] for c in model.columns])
    u = (rows - mean) / scale
    x, context = u[:, ~is_given], u[:, is_given]

    out = subprocess.run([biject, "score", "--double", model_path, table], capture_output=True, text=True, check=True).stdout
    found = torch.tensor([float(v) for v in out.split()[1:]])
    expected = log_prob(model, x, context).detach() - torch.log(scale[~is_given]).sum()
    of_log_prob = ((found - expected).abs() / (1 + expected.abs())).max().item()

    model.differentiable()
    log_prob(model, x, context, is_training=True).mean().backward()
    subprocess.run([gradients, model_path, table, grad_path], check=True)
    found, of_gradient = Model(grad_path).tensors, []
    for name, tensor in model.tensors.items():
        if tensor.numel() == 0:
            continue
        expected = torch.zeros_like(tensor) if tensor.grad is None else tensor.grad
        is_free = (found[name] != 0) | (tensor != 0)  # masked weights are and stay zero
        difference = torch.where(is_free, found[name] - expected, 0.0).abs().max()
        of_gradient.append((difference / (1 + torch.where(is_free, expected, 0.0).abs().max())).item())
    return of_log_prob, np.max(of_gradient)  # a NaN is the largest


def check(biject, gradients, table, flow, given, folder):
    name, *flags = flow.split()
    listed = subprocess.run([biject, "flows", name], capture_output=True, text=True, check=True).stdout
    hidden = next((line for line in listed.splitlines() if line.startswith("  --hidden ")), None)
    has_networks = hidden and (given or not ("only with --given" in hidden or "elementwise" in flags))
    if has_networks and "--hidden" not in flags:
        flags += ["--hidden", "12,12"]
    path = os.path.join(folder, "model.flow")
    command = [biject, "fit", "-q", "--double", "-f", name, table, "-o", path, "--epochs", "4", "--lr", "0.02", *flags, *given]
    subprocess.run(command, check=True)
    model = Model(path)
    with open(table) as file:
        rows = [[float(r[c["name"]]) for c in model.columns] for r in itertools.islice(csv.DictReader(file), ROWS)]
    rows, mean = torch.tensor(rows), torch.tensor(model.scaling["mean"])
    places = [rows]
    if model.spec["base"] != "uniform":
        places.append(mean + 4 * (rows[::10] - mean))  # far out, where many maps are straight lines
    try:
        found = torch.tensor([errors(biject, gradients, path, place, folder) for place in places])
    except NotImplementedError as error:
        print(f"BAD {flow:26s} C = {len(given) // 2}: {error}", flush=True)
        return False
    is_good = bool((found < torch.tensor([1e-9, 1e-7])).all())
    words = "; far out: ".join(f"log_prob {a:.1e}, gradient {b:.1e}" for a, b in found.tolist())
    print(f"{'ok ' if is_good else 'BAD'} {flow:26s} C = {len(given) // 2}: {words}", flush=True)
    return is_good


def main():
    biject, gradients, table, *flows = sys.argv[1:]
    if not flows:
        listed = subprocess.run([biject, "flows"], capture_output=True, text=True, check=True).stdout
        flows = [line.split()[0] for line in listed.splitlines()[1:]] + VARIANTS
    with open(table) as file:
        first = next(csv.reader(file))[0]
    with tempfile.TemporaryDirectory() as folder:
        results = [check(biject, gradients, table, flow, given, folder) for flow in flows for given in ([], ["--given", first])]
    print(f"{sum(results)} of {len(results)} agree")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())

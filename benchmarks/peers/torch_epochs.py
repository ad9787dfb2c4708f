"""PyTorch's side of the training claims: the usual loop, on tensors in memory; prints one JSON object."""

import argparse
import json
from statistics import median
from time import perf_counter

import numpy as np
import torch
from torch import nn

CLASSES = 10


def network(shape, filters, hidden):
    """Convolutions of 3 x 3 with halving pools, then dense layers; weights Glorot uniform, as on the other sides."""
    layers, (*size, channels) = [], shape if filters else (1, *shape)
    for count in filters:
        layers += [nn.Conv2d(channels, count, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        size, channels = [n // 2 for n in size], count
    if filters:
        layers.append(nn.Flatten())
    inputs = int(np.prod(size)) * channels if filters else int(np.prod(shape))
    for units in hidden:
        layers += [nn.Linear(inputs, units), nn.ReLU()]
        inputs = units
    layers.append(nn.Linear(inputs, CLASSES))
    for layer in layers:
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


def epoch(model, optimizer, x, t, batch):
    """Shuffle, then a step a minibatch; the mean loss."""
    total, criterion = torch.zeros(()), nn.CrossEntropyLoss()
    order = torch.randperm(len(x))
    for rows in order.split(batch):
        optimizer.zero_grad()
        loss = criterion(model(x[rows]), t[rows])
        loss.backward()
        optimizer.step()
        total += loss.detach() * len(rows)
    return float(total) / len(x)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("x")
    parser.add_argument("t")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--hidden", type=int, nargs="+")
    parser.add_argument("--filters", type=int, nargs="+", default=[])
    parser.add_argument("--fused", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    x, t = torch.from_numpy(np.load(options.x)), torch.from_numpy(np.load(options.t))
    model = network(x.shape[1:], options.filters, options.hidden)
    if options.filters:
        x = x.permute(0, 3, 1, 2).contiguous()
    # `fused=None` is the default, which chooses for itself.
    optimizer = torch.optim.Adam(model.parameters(), lr=options.learning_rate, fused=options.fused or None)
    seconds = []
    for _ in range(options.epochs):
        begun = perf_counter()
        loss = epoch(model, optimizer, x, t, options.batch)
        seconds.append(perf_counter() - begun)
    versions = {"PyTorch": torch.__version__}
    print(json.dumps({"epoch_seconds": median(seconds[1:]), "loss": loss, "versions": versions}))


main()

"""The PyTorch + pandas script a user would write to predict a file. WEIGHTS CSV OUTPUT THREADS."""

import sys

import numpy as np
import pandas as pd
import torch

weights_file, file, output, threads = sys.argv[1:]
torch.set_num_threads(int(threads))
held = {
    name: torch.from_numpy(array) if array.dtype.kind == "f" else array for name, array in np.load(weights_file).items()
}
layers = [(held[f"dense{i}.weight"], held[f"dense{i}.bias"]) for i in (1, 2, 3)]

table = pd.read_csv(file)
names = [f"x{i + 1}" for i in range(len(held["centre"]))]
x = torch.from_numpy(table[names].to_numpy(np.float32))
x = (x - held["centre"].float()) / held["scale"].float()
parts = []
with torch.no_grad():
    for y in x.split(65_536):
        for W, b in layers[:-1]:
            y = torch.relu(y @ W + b)
        parts.append(torch.softmax(y @ layers[-1][0] + layers[-1][1], 1))
p = torch.cat(parts).numpy()
result = pd.DataFrame({"prediction": held["classes"][p.argmax(1)]})
for i, name in enumerate(held["classes"]):
    result[f"probability.{name}"] = p[:, i]
result.to_csv(output, index=False)

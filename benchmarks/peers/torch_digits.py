"""The PyTorch script a user would write: digits from CSV to a saved model. CSV MODEL EPOCHS THREADS."""

import json
import sys

import numpy as np
import torch
from torch import nn

file, model_file, epochs, threads = sys.argv[1:]
torch.set_num_threads(int(threads))
torch.manual_seed(0)

table = np.loadtxt(file, delimiter=",", skiprows=1, dtype=np.float32)
table = table[np.random.default_rng(0).permutation(len(table))]
held_out = round(0.15 * len(table))
x, t = torch.from_numpy(table[:, :-1].copy()), torch.from_numpy(table[:, -1].astype(np.int64))
(x_validation, t_validation), (x_test, t_test) = (
    (x[a:b], t[a:b]) for a, b in ((0, held_out), (held_out, 2 * held_out))
)
x, t = x[2 * held_out :], t[2 * held_out :]
centre, scale = x.mean(0), x.std(0)
scale[scale == 0] = 1
x, x_validation, x_test = ((part - centre) / scale for part in (x, x_validation, x_test))

model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
criterion = nn.CrossEntropyLoss()


@torch.no_grad()
def evaluate(x, t):
    y = model(x)
    return float(criterion(y, t)), float((y.argmax(1) == t).float().mean())


for number in range(int(epochs)):
    for rows in torch.randperm(len(x)).split(32):
        optimizer.zero_grad()
        criterion(model(x[rows]), t[rows]).backward()
        optimizer.step()
    loss, accuracy = evaluate(x_validation, t_validation)
    print(f"epoch {number + 1}: validation loss {loss:.4f}, accuracy {accuracy:.4f}", file=sys.stderr)

torch.save({"model": model.state_dict(), "centre": centre, "scale": scale}, model_file)
loss, accuracy = evaluate(x_test, t_test)
print(json.dumps({"evaluation": {"test": {"accuracy": accuracy}}, "versions": {"PyTorch": torch.__version__}}))

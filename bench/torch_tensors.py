# The networks of tensors.mjs in PyTorch: the peer.
#
#   MODEL BATCH THREADS STEPS
#
# Prints one line of JSON: milliseconds of each step after two to warm up, wall and processor, and seconds from the start of the
# program until torch is imported and until the first step is done.
import json
import resource
import sys
import time

STARTED = time.perf_counter()
import torch
from torch import nn
from torch.nn import functional as F

IMPORTED = time.perf_counter()
CLASSES = 527
LENGTH = 10


class Trunk(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense = nn.ModuleList([nn.Linear(128 if i == 0 else 600, 600) for i in range(3)])
        self.norm = nn.ModuleList([nn.BatchNorm1d(600) for _ in range(3)])

    def forward(self, x):
        levels, h = [], x.reshape(-1, 128)
        for dense, norm in zip(self.dense, self.norm):
            h = F.dropout(F.relu(norm(dense(h))), 0.4, True)
            levels.append(h)
        return levels


class Dense(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk, self.output = Trunk(), nn.Linear(600, CLASSES)

    def forward(self, x):
        return self.output(self.trunk(x)[-1].reshape(-1, LENGTH, 600).mean(1))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = Trunk()
        self.scores = nn.ModuleList([nn.Linear(600, CLASSES) for _ in range(3)])
        self.attention = nn.ModuleList([nn.Linear(600, CLASSES) for _ in range(3)])
        self.output = nn.Linear(3 * CLASSES, CLASSES)

    def forward(self, x):
        pooled = []
        for h, scores, attention in zip(self.trunk(x), self.scores, self.attention):
            s = torch.sigmoid(scores(h)).reshape(-1, LENGTH, CLASSES)
            a = torch.clamp(torch.sigmoid(attention(h)), 1e-7, 1 - 1e-7).reshape(-1, LENGTH, CLASSES)
            pooled.append((a / a.sum(1, keepdim=True) * s).sum(1))
        return self.output(torch.cat(pooled, 1))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.output = nn.LSTM(128, 600, batch_first=True), nn.Linear(600, CLASSES)

    def forward(self, x):
        return self.output(self.lstm(x)[0][:, -1])


class Vggish(nn.Module):
    """Embeddings; with `classes`, the head of fine-tuning on top."""

    def __init__(self, classes=None):
        super().__init__()
        layers = []
        for size, to, pool in [(1, 64, 1), (64, 128, 1), (128, 256, 0), (256, 256, 1), (256, 512, 0), (512, 512, 1)]:
            layers += [nn.Conv2d(size, to, 3, padding=1), nn.ReLU(inplace=True)] + [nn.MaxPool2d(2, 2)] * pool
        self.features = nn.Sequential(*layers)
        units = [nn.Linear(12288, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 128)]
        if classes is not None:
            units += [nn.ReLU(), nn.Linear(128, 100), nn.ReLU(), nn.Linear(100, classes)]
        self.units = nn.Sequential(*units)

    def forward(self, x):
        return self.units(self.features(x).permute(0, 2, 3, 1).reshape(-1, 12288))


def make(model, batch):
    if model == "vggish":
        network, x = Vggish().eval(), torch.rand(batch, 1, 96, 64)

        def step():
            with torch.no_grad():
                return network(x)

        return step
    if model == "fine-tune":
        network, x, y = Vggish(41), torch.rand(batch, 1, 96, 64), torch.arange(batch) % 41
        loss = nn.CrossEntropyLoss()
    else:
        network = {"dense": Dense, "attention": Attention, "lstm": Recurrent}[model]()
        x, y = torch.rand(batch, LENGTH, 128), (torch.rand(batch, CLASSES) < 0.01).float()
        loss = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)

    def step():
        optimizer.zero_grad()
        loss(network(x), y).backward()
        optimizer.step()

    return step


def main():
    model, batch, threads, steps = sys.argv[1], *map(int, sys.argv[2:5])
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    step = make(model, batch)
    wall, cpu, first = [], [], 0.0
    for i in range(steps + 2):
        begin, spent = time.perf_counter(), time.process_time()
        step()
        if i == 0:
            first = time.perf_counter() - STARTED
        if i >= 2:
            wall.append((time.perf_counter() - begin) * 1e3)
            cpu.append((time.process_time() - spent) * 1e3)
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"wall": wall, "cpu": cpu, "importSeconds": IMPORTED - STARTED, "firstSeconds": first, "rssMiB": rss}))


main()

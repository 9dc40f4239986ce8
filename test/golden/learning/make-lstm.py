"""Makes lstm.json beside this file: an LSTM over sequences of several lengths, with its gradients (PyTorch)."""
import json
import pathlib
import platform

import torch

SEED = 20183
LENGTHS = [4, 2, 1, 3]
WIDTH, UNITS = 3, 2

torch.manual_seed(SEED)
torch.set_default_dtype(torch.float64)
lstm = torch.nn.LSTM(WIDTH, UNITS, batch_first=True)
x = torch.zeros(len(LENGTHS), max(LENGTHS), WIDTH)
for row, length in enumerate(LENGTHS):
    x[row, :length] = torch.randn(length, WIDTH).round(decimals=4)
x.requires_grad_()
factors = torch.randn(len(LENGTHS), UNITS).round(decimals=4)
packed = torch.nn.utils.rnn.pack_padded_sequence(x, LENGTHS, batch_first=True, enforce_sorted=False)
last = lstm(packed)[1][0][0]
(last * factors).sum().backward()


def array(tensor):
    tensor = tensor.detach().contiguous()
    return {'shape': list(tensor.shape), 'data': tensor.reshape(-1).tolist()}


# PyTorch's matrices are (4 units, inputs), gates in the order input, forget, cell, output; its two biases act as their sum.
document = {
    'provenance': {
        'command': 'python3 test/golden/learning/make-lstm.py',
        'seed': SEED,
        'python': platform.python_version(),
        'torch': torch.__version__,
    },
    'lengths': LENGTHS,
    'x': array(x),
    'weights': array(lstm.weight_ih_l0.T),
    'recurrent': array(lstm.weight_hh_l0.T),
    'biases': array(lstm.bias_ih_l0 + lstm.bias_hh_l0),
    'factors': array(factors),
    'last': array(last),
    'gradients': {
        'x': array(x.grad),
        'weights': array(lstm.weight_ih_l0.grad.T),
        'recurrent': array(lstm.weight_hh_l0.grad.T),
        'biases': array(lstm.bias_ih_l0.grad),
    },
}
(pathlib.Path(__file__).parent / 'lstm.json').write_text(json.dumps(document) + '\n')

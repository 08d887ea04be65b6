"""Trains the example model and writes its GGUF file.

Every document is seen once: the grammar writes new ones as training goes on, so the model cannot learn them by heart.
A row of a batch is one document from its BOS on; documents of like length share a batch, so there is little padding.
A step takes several micro-batches, which the cores compute side by side, each alone on its own: the gradients are added
in a fixed order, so the result does not depend on how many cores there are.
"""

import argparse
import concurrent.futures
import math
import os
import random
import sys
import time

import torch
import torch.nn.functional as F

from . import chat, grammar
from .export import export
from .model import Config, Llama
from .tokenizer import Tokenizer

CHAT_SHARE = 0.5  # of the documents; a conversation is about a third as long as a story
POOL = 2048  # documents that are sorted by length together
ROWS = 1536  # tokens of a micro-batch, padding included
MICRO = 2  # micro-batches of a step
IGNORE = -100


def text(rng):
    """One story or other plain text, ended by the end of text, or one conversation, whose turns have their own end."""
    roll = rng.random()
    if roll < CHAT_SHARE:
        return chat.render(chat.conversation(rng))
    return (chat.statements(rng) if roll > 0.94 else grammar.story(rng)) + "<|end_of_text|>"


def document(rng, tokenizer):
    """The ids of one story or conversation, from BOS to its end."""
    return [tokenizer.bos, *tokenizer.encode(text(rng))]


def batches(rng, tokenizer, context):
    """Micro-batches (inputs, targets) without end."""
    while True:
        pool = sorted((document(rng, tokenizer)[: context + 1] for _ in range(POOL)), key=len)
        groups, start = [], 0
        while start < len(pool):
            end = start + 1
            while end < len(pool) and len(pool[end]) * (end + 1 - start) <= ROWS:
                end += 1
            groups.append(pool[start:end])
            start = end
        rng.shuffle(groups)
        for group in groups:
            length = max(map(len, group)) - 1
            inputs = torch.zeros(len(group), length, dtype=torch.long)
            targets = torch.full((len(group), length), IGNORE)
            for row, ids in enumerate(group):
                inputs[row, : len(ids) - 1] = torch.tensor(ids[:-1])
                targets[row, : len(ids) - 1] = torch.tensor(ids[1:])
            yield inputs, targets


def loss_sum(model, inputs, targets):
    return F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten(), ignore_index=IGNORE, reduction="sum")


class Muon(torch.optim.Optimizer):
    """Momentum whose matrices are made orthogonal: on a small budget it learns about half as long as AdamW."""

    def __init__(self, parameters, pool, momentum=0.95, weight_decay=0.1):
        self.pool, self.averages = pool, {p: torch.zeros_like(p) for p in parameters}
        super().__init__(parameters, {"lr": 0.0, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            list(self.pool.map(lambda p: self.update(p, group["lr"], group["momentum"], group["weight_decay"]), group["params"]))

    @torch.no_grad()
    def update(self, p, rate, momentum, weight_decay):
        average = self.averages[p]
        average.lerp_(p.grad, 1 - momentum)
        update = orthogonal(p.grad.lerp(average, momentum)) * 0.2 * max(p.shape) ** 0.5
        p.mul_(1 - rate * weight_decay).sub_(update, alpha=rate)


def orthogonal(m, steps=5):
    """The nearest matrix with orthogonal rows or columns, about, by five Newton-Schulz steps."""
    x = m.T if m.shape[0] > m.shape[1] else m
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x.T if m.shape[0] > m.shape[1] else x


def rate(step, steps, peak):
    """Linear warm-up, then a cosine down to 2 % of the peak."""
    warm = min(100, steps // 10 + 1)
    if step < warm:
        return peak * (step + 1) / warm
    return peak * (0.02 + 0.49 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm))))


@torch.no_grad()
def greedy(model, tokenizer, text, limit=300):
    ids = [tokenizer.bos, *tokenizer.encode(text)]
    start = len(ids)
    while len(ids) < min(start + limit, model.config.context):
        ids.append(int(model(torch.tensor([ids]))[0, -1].argmax()))
        if ids[-1] in (tokenizer.eos, tokenizer.eot):
            break
    return tokenizer.decode(ids[start:])


def main():
    parser = argparse.ArgumentParser(prog="train-example-model", description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="Examples/stories.gguf", help="the file to write (default %(default)s)")
    parser.add_argument("--steps", type=int, default=2600, help="optimizer steps (default %(default)s)")
    parser.add_argument("--minutes", type=float, help="choose the steps to fit into this time, from the speed of the first ones")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="(default: all cores)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=3e-3, help="peak learning rate (default %(default)s)")
    options = parser.parse_args()

    torch.set_num_threads(1)  # of one operation; the pool below has the cores
    pool = concurrent.futures.ThreadPoolExecutor(options.threads)
    torch.manual_seed(options.seed)
    rng, held_out = random.Random(options.seed), random.Random(options.seed + 1)

    config = Config()
    tokenizer = Tokenizer.train((text(rng) for _ in range(20000)), config.vocab)
    validation = batches(held_out, tokenizer, config.context)
    validation = [next(validation) for _ in range(20)]
    model = Llama(config)
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters, {tokenizer.size} tokens,"
          f" {options.threads} threads", flush=True)

    parameters = list(model.parameters())
    matrices = [p for p in model.blk.parameters() if p.dim() == 2]
    vectors = [p for p in parameters if p.dim() == 1]
    optimizers = [Muon(matrices, pool), torch.optim.AdamW(
        [{"params": [model.token_embd.weight], "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}],
        betas=(0.9, 0.95), eps=1e-9)]

    def gradients(batch):
        loss = loss_sum(model, *batch)
        return loss.item(), torch.autograd.grad(loss, parameters)

    steps, began, seen, running = options.steps, time.time(), 0, None
    stream = batches(rng, tokenizer, config.context)
    step = 0
    while step < steps:
        micro = [next(stream) for _ in range(MICRO)]
        count = sum(int((targets != IGNORE).sum()) for _, targets in micro)
        results = list(pool.map(gradients, micro))
        total = sum(loss for loss, _ in results) / count
        for p, *parts in zip(parameters, *(grads for _, grads in results)):
            p.grad = sum(parts[1:], parts[0]).div_(count)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate(step, steps, options.rate)
            optimizer.step()
        step, seen = step + 1, seen + count
        running = total if running is None else 0.98 * running + 0.02 * total
        if step == 20 and options.minutes:
            steps = max(100, int(options.minutes * 60 / ((time.time() - began) / step)))
            print(f"{steps} steps", flush=True)
        if step % 50 == 0 or step == steps:
            passed = time.time() - began
            print(f"step {step}/{steps}  loss {running:.3f}  {seen / 1e6:.2f} M tokens  {seen / passed:.0f} tokens/s"
                  f"  {passed / 60:.1f} min", flush=True)

    model.eval()
    with torch.no_grad():
        losses = sum(float(loss_sum(model, *batch)) for batch in validation)
        count = sum(int((targets != IGNORE).sum()) for _, targets in validation)
    print(f"held-out loss {losses / count:.4f}, perplexity {math.exp(losses / count):.3f}")
    export(model, tokenizer, options.out)
    print(f"wrote {options.out}: {os.path.getsize(options.out)} bytes")
    for prompt in ("Once upon a time", chat.render([{"role": "user", "content": "Who are you?"}], generate=True)):
        print("\n" + prompt + greedy(model, tokenizer, prompt))


if __name__ == "__main__":
    sys.exit(main())

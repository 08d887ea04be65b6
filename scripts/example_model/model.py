"""The network: a small Llama.

RMSNorm, grouped-query attention with rotary positions, SwiGLU, tied embeddings. The rotation acts on *adjacent* pairs
of a head (2i, 2i+1), which is what GGUF's `llama` architecture means, so export needs no permutation of rows.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass
class Config:
    vocab: int = 2048
    context: int = 512
    width: int = 256
    layers: int = 4
    heads: int = 8
    kv_heads: int = 4
    ffn: int = 512
    rope_base: float = 10000.0
    eps: float = 1e-5

    @property
    def head(self) -> int:
        return self.width // self.heads


def rotation(config: Config, length: int) -> torch.Tensor:
    """cos and sin of every position and pair: [2, length, 1, head / 2]."""
    frequencies = config.rope_base ** (-torch.arange(0, config.head, 2).float() / config.head)
    angles = torch.outer(torch.arange(length).float(), frequencies)[:, None, :]
    return torch.stack([angles.cos(), angles.sin()])


def rotate(x: torch.Tensor, rope: torch.Tensor) -> torch.Tensor:
    """x: [batch, time, heads, head], pairs adjacent."""
    cos, sin = rope
    even, odd = x.float().unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2).to(x.dtype)


class Block(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        width, kv = config.width, config.kv_heads * config.head
        self.attn_norm = nn.RMSNorm(width, eps=config.eps)
        self.attn_q = nn.Linear(width, width, bias=False)
        self.attn_k = nn.Linear(width, kv, bias=False)
        self.attn_v = nn.Linear(width, kv, bias=False)
        self.attn_output = nn.Linear(width, width, bias=False)
        self.ffn_norm = nn.RMSNorm(width, eps=config.eps)
        self.ffn_gate = nn.Linear(width, config.ffn, bias=False)
        self.ffn_up = nn.Linear(width, config.ffn, bias=False)
        self.ffn_down = nn.Linear(config.ffn, width, bias=False)

    def forward(self, x: torch.Tensor, rope: torch.Tensor) -> torch.Tensor:
        c, (batch, time, _) = self.config, x.shape
        h = self.attn_norm(x)
        q = rotate(self.attn_q(h).view(batch, time, c.heads, c.head), rope).transpose(1, 2)
        k = rotate(self.attn_k(h).view(batch, time, c.kv_heads, c.head), rope).transpose(1, 2)
        v = self.attn_v(h).view(batch, time, c.kv_heads, c.head).transpose(1, 2)
        group = c.heads // c.kv_heads
        k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.attn_output(attended.transpose(1, 2).reshape(batch, time, -1))
        h = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(h)) * self.ffn_up(h))


class Llama(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.token_embd = nn.Embedding(config.vocab, config.width)
        self.blk = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.output_norm = nn.RMSNorm(config.width, eps=config.eps)
        self.register_buffer("rope", rotation(config, config.context), persistent=False)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                residual = name.endswith(("attn_output.weight", "ffn_down.weight"))
                nn.init.normal_(parameter, std=0.03 / ((2 * config.layers) ** 0.5 if residual else 1))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Logits of every position."""
        x = self.token_embd(tokens)
        rope = self.rope[:, : tokens.shape[1]]
        for block in self.blk:
            x = block(x, rope)
        return F.linear(self.output_norm(x), self.token_embd.weight)

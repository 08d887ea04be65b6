"""Models with one MLP per layer."""

import math

import numpy as np

from tiny_model import CONTEXT, model, pre_norm


@model("llama")
def llama(m):
    m.decoder(base=500000.0)
    pre_norm(m)
    for block in m.blocks():
        m.mlp(block)
    # As Llama 3.1 scales its rope: fast pairs stay, slow ones turn eight times slower.
    m.tensors["rope_freqs.weight"] = np.array([1, 1, 1, 1.5, 3, 8, 8, 8], np.float32)


@model("qwen2")
def qwen2(m):
    m.decoder(tied=True, base=1e6)
    pre_norm(m, bias=True)
    for block in m.blocks():
        m.mlp(block)


@model("qwen2:yarn")
def qwen2_yarn(m):
    qwen2(m)
    m.set(rope__scaling__type="yarn", rope__scaling__factor=4.0, rope__scaling__original_context_length=32)


@model("qwen3", head=32)
def qwen3(m):
    m.decoder(tied=True, base=1e6, head=True)
    pre_norm(m)
    for block in m.blocks():
        m.norm(f"{block}.attn_q_norm", m.head)
        m.norm(f"{block}.attn_k_norm", m.head)
        m.mlp(block)


def gemma(m):
    for block in m.blocks():
        m.norm(f"{block}.attn_norm", m.width)
        m.attention(block)
        m.norm(f"{block}.post_attention_norm", m.width)
        m.norm(f"{block}.ffn_norm", m.width)
        m.mlp(block)
        m.norm(f"{block}.post_ffw_norm", m.width)


@model("gemma2", head=32, layers=4)
def gemma2(m):
    m.decoder(tied=True, embedding=0.125, head=True)
    m.set(attn_logit_softcapping=3.0, final_logit_softcapping=2.5, attention__sliding_window=16)
    gemma(m)


@model("gemma3", head=32, layers=7, kv_heads=1)
def gemma3(m, window=16):
    m.decoder(tied=True, embedding=0.125, head=True, base=1e6)
    m.set(
        attention__sliding_window=window, rope__freq_base_swa=10000.0, rope__scaling__type="linear",
        rope__scaling__factor=8.0)
    gemma(m)
    for block in m.blocks():
        m.norm(f"{block}.attn_q_norm", m.head)
        m.norm(f"{block}.attn_k_norm", m.head)


@model("phi3", kv_heads=4)
def phi3(m, window=0, original=CONTEXT, dimensions=16):
    m.decoder()
    m.set(context_length=4 * CONTEXT, attention__sliding_window=window, rope__dimension_count=dimensions)
    pre_norm(m, fused=True)
    for block in m.blocks():
        m.mlp(block, fused=True)
    if original:
        scale = 4 * CONTEXT / original
        m.set(
            rope__scaling__original_context_length=original,
            rope__scaling__attn_factor=math.sqrt(1 + math.log(scale) / math.log(original)))
        m.vector("rope_factors_short.weight", dimensions // 2, around=1.1, spread=0.1)
        m.vector("rope_factors_long.weight", dimensions // 2, around=8, spread=3)


@model("phi3:long")
def phi3_long(m):
    # Heads share keys and three quarters of their dimensions turn, as in Phi-4-mini.
    phi3(m, original=32, dimensions=12)


@model("phi3:window", kv_heads=4)
def phi3_window(m):
    phi3(m, original=None, window=20)


@model("mistral3", head=32)
def mistral3(m):
    m.decoder(base=1e6, head=True)
    m.set(
        rope__scaling__type="yarn", rope__scaling__factor=8.0, rope__scaling__original_context_length=16,
        rope__scaling__yarn_beta_fast=4.0, rope__scaling__yarn_beta_slow=1.0, rope__scaling__yarn_log_multiplier=1.0,
        attention__temperature_scale=0.2)
    pre_norm(m)
    for block in m.blocks():
        m.mlp(block)


@model("smollm3", layers=5)
def smollm3(m):
    m.decoder(base=5e6, tied=True)
    pre_norm(m)
    for block in m.blocks():
        m.mlp(block)


@model("olmo2")
def olmo2(m):
    m.decoder(base=500000.0)
    for block in m.blocks():
        m.attention(block)
        m.norm(f"{block}.attn_q_norm", m.heads * m.head)
        m.norm(f"{block}.attn_k_norm", m.kv_heads * m.head)
        m.norm(f"{block}.post_attention_norm", m.width)
        m.mlp(block)
        m.norm(f"{block}.post_ffw_norm", m.width)


@model("olmo2:olmo3", layers=5)
def olmo3(m):
    olmo2(m)
    m.set(
        attention__sliding_window=16, attention__sliding_window_pattern=[True, True, True, False, True],
        rope__scaling__type="yarn", rope__scaling__factor=4.0, rope__scaling__original_context_length=32,
        rope__scaling__yarn_attn_factor=1.1386294361119891)


@model("granite")
def granite(m):
    m.decoder(tied=True)
    m.set(attention__scale=0.3, embedding_scale=2.0, residual_scale=0.7, logit_scale=0.5)
    pre_norm(m)
    for block in m.blocks():
        m.mlp(block)


def parallel(m):
    for block in m.blocks():
        m.norm(f"{block}.attn_norm", m.width)
        m.attention(block)
        m.mlp(block)


@model("command-r")
def command_r(m):
    m.decoder("layer", tied=True, base=8e6)
    m.set(logit_scale=0.5, rope__scaling__type="none")
    parallel(m)


@model("command-r:plus")
def command_r_plus(m):
    # Without a head length to itself, which transformers' class does not know.
    command_r(m)
    for block in m.blocks():
        m.vector(f"{block}.attn_q_norm.weight", m.heads, m.head)
        m.vector(f"{block}.attn_k_norm.weight", m.kv_heads, m.head)


@model("cohere2", layers=5)
def cohere2(m):
    m.decoder("layer", tied=True, base=50000.0)
    m.set(logit_scale=0.5, attention__sliding_window=16, rope__scaling__type="none")
    parallel(m)


@model("glm4", head=32)
def glm4(m):
    m.decoder(head=True)
    m.set(rope__dimension_count=16)
    for block in m.blocks():
        m.norm(f"{block}.attn_norm", m.width)
        m.attention(block, bias=True)
        m.norm(f"{block}.post_attention_norm", m.width)
        m.norm(f"{block}.ffn_norm", m.width)
        m.mlp(block, fused=True)
        m.norm(f"{block}.post_ffw_norm", m.width)


@model("starcoder2")
def starcoder2(m):
    m.decoder("layer", tied=True, norm_bias=True, base=1e6)
    for block in m.blocks():
        m.norm(f"{block}.attn_norm", m.width, True)
        m.attention(block, bias=True, output_bias=True)
        m.norm(f"{block}.ffn_norm", m.width, True)
        m.linear(f"{block}.ffn_up", m.hidden, m.width, True)
        m.linear(f"{block}.ffn_down", m.width, m.hidden, True)


@model("stablelm", head=32, heads=2)
def stablelm(m):
    m.decoder("layer", norm_bias=True)
    m.set(rope__dimension_count=8, use_parallel_residual=False)
    for block in m.blocks():
        m.norm(f"{block}.attn_norm", m.width, True)
        m.attention(block, bias=True)
        m.norm(f"{block}.ffn_norm", m.width, True)
        m.mlp(block)


@model("stablelm:12b", head=32, heads=2)
def stablelm_12b(m):
    m.decoder("layer", norm_bias=True)
    m.set(rope__dimension_count=8, use_parallel_residual=True)
    for block in m.blocks():
        m.norm(f"{block}.attn_norm", m.width, True)
        m.attention(block)
        m.vector(f"{block}.attn_q_norm.weight", m.heads, m.head)
        m.vector(f"{block}.attn_k_norm.weight", m.kv_heads, m.head)
        m.mlp(block)

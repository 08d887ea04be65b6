"""Tiny models with random weights, one or more per architecture, as GGUF files.

Weights come from their names alone, so whoever runs this gets the same files: the tests, and scripts/model-references, which
computes what they should answer with an independent implementation. Needs numpy and gguf.

usage: tiny_models.py --out FOLDER [--type f32|q8_0] [NAME...]
"""

import argparse
import hashlib
import math
import os

import gguf
import numpy as np

VOCABULARY = 259  # <unk>, <s>, </s> and the 256 bytes
CONTEXT = 128


def noise(name, count):
    """Uniform numbers of variance one (SplitMix64 over the index, from a seed by name)."""
    seed = np.uint64(int.from_bytes(hashlib.md5(name.encode()).digest()[:8], "little"))
    with np.errstate(over="ignore"):
        z = seed + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    unit = (z >> np.uint64(40)).astype(np.float64) / 2.0**24
    return ((2 * unit - 1) * math.sqrt(3)).astype(np.float32)


class TinyModel:
    """Metadata (keys without the architecture's prefix) and tensors (in the order of numpy: outputs first)."""

    def __init__(self, name, architecture, **sizes):
        self.name, self.architecture = name, architecture
        self.metadata, self.tensors = {}, {}
        self.width, self.layers, self.hidden = 64, 3, 96
        self.heads, self.kv_heads, self.head = 4, 2, 16
        for key, value in sizes.items():
            setattr(self, key, value)

    def set(self, **keys):
        """Two underscores in a name stand for a dot."""
        self.metadata.update({key.replace("__", "."): value for key, value in keys.items()})

    def matrix(self, name, *shape, gain=1.0):
        self.tensors[name] = (noise(name, math.prod(shape)) * gain / math.sqrt(shape[-1])).reshape(shape)

    def vector(self, name, *shape, around=1.0, spread=0.2):
        self.tensors[name] = (around + spread * noise(name, math.prod(shape))).astype(np.float32).reshape(shape)

    def norm(self, name, count, bias=False):
        self.vector(f"{name}.weight", count)
        if bias:
            self.vector(f"{name}.bias", count, around=0)

    def linear(self, name, outputs, inputs, bias=False):
        self.matrix(f"{name}.weight", outputs, inputs)
        if bias:
            self.vector(f"{name}.bias", outputs, around=0)

    # What most decoders have.

    def decoder(self, epsilon="rms", tied=False, embedding=0.5, base=10000.0, norm_bias=False, head=False):
        self.set(
            context_length=CONTEXT, embedding_length=self.width, block_count=self.layers, feed_forward_length=self.hidden,
            attention__head_count=self.heads, attention__head_count_kv=self.kv_heads, rope__freq_base=base,
            rope__dimension_count=self.head, vocab_size=VOCABULARY)
        if head:
            self.set(attention__key_length=self.head, attention__value_length=self.head)
        self.set(**({"attention__layer_norm_rms_epsilon": 1e-6} if epsilon == "rms" else {"attention__layer_norm_epsilon": 1e-5}))
        self.matrix("token_embd.weight", VOCABULARY, self.width, gain=embedding * math.sqrt(self.width))
        self.norm("output_norm", self.width, norm_bias)
        if not tied:
            self.matrix("output.weight", VOCABULARY, self.width, gain=4)

    def attention(self, block, bias=False, output_bias=False, fused=False):
        q, kv = self.heads * self.head, self.kv_heads * self.head
        if fused:
            self.linear(f"{block}.attn_qkv", q + 2 * kv, self.width, bias)
        else:
            self.linear(f"{block}.attn_q", q, self.width, bias)
            self.linear(f"{block}.attn_k", kv, self.width, bias)
            self.linear(f"{block}.attn_v", kv, self.width, bias)
        self.linear(f"{block}.attn_output", self.width, q, output_bias)

    def mlp(self, block, fused=False, suffix="", hidden=None):
        hidden = hidden or self.hidden
        if fused:
            self.linear(f"{block}.ffn_up{suffix}", 2 * hidden, self.width)
        else:
            self.linear(f"{block}.ffn_gate{suffix}", hidden, self.width)
            self.linear(f"{block}.ffn_up{suffix}", hidden, self.width)
        self.linear(f"{block}.ffn_down{suffix}", self.width, hidden)

    def experts(self, block, count, hidden):
        self.linear(f"{block}.ffn_gate_inp", count, self.width)
        self.matrix(f"{block}.ffn_gate_exps.weight", count, hidden, self.width)
        self.matrix(f"{block}.ffn_up_exps.weight", count, hidden, self.width)
        self.matrix(f"{block}.ffn_down_exps.weight", count, self.width, hidden)

    def blocks(self):
        return [f"blk.{layer}" for layer in range(self.layers)]

    def write(self, path, kind):
        writer = gguf.GGUFWriter(path, self.architecture)
        for key, value in self.metadata.items():
            key = f"{self.architecture}.{key}"
            if isinstance(value, bool):
                writer.add_bool(key, value)
            elif isinstance(value, int):
                writer.add_uint32(key, value)
            elif isinstance(value, float):
                writer.add_float32(key, value)
            elif isinstance(value, str):
                writer.add_string(key, value)
            else:
                writer.add_array(key, value)
        byte = gguf.TokenType.BYTE
        writer.add_tokenizer_model("llama")
        writer.add_token_list(["<unk>", "<s>", "</s>"] + [f"<0x{value:02X}>" for value in range(256)])
        writer.add_token_scores([0.0] * VOCABULARY)
        writer.add_token_types([gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL] + [byte] * 256)
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(2)
        for name, array in self.tensors.items():
            # What converters keep in F32 stays so: vectors and routers.
            plain = array.ndim == 1 or "norm" in name or "ffn_gate_inp" in name or name.endswith("bias")
            if kind == "q8_0" and not plain and array.shape[-1] % 32 == 0:
                types = gguf.GGMLQuantizationType
                chosen = types.MXFP4 if self.architecture == "gpt-oss" and "_exps" in name else types.Q8_0
                writer.add_tensor(name, gguf.quants.quantize(array, chosen), raw_dtype=chosen)
            else:
                writer.add_tensor(name, array)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


# The list: a name is the architecture's, with a variant after a colon.

MODELS = {}


def model(name, **sizes):
    def register(draw):
        def make():
            m = TinyModel(name, name.split(":")[0], **sizes)
            draw(m)
            return m

        MODELS[name] = make
        return draw

    return register


def pre_norm(m, **attention):
    for block in m.blocks():
        m.norm(f"{block}.attn_norm", m.width)
        m.attention(block, **attention)
        m.norm(f"{block}.ffn_norm", m.width)


@model("llama")
def llama(m):
    m.decoder(base=500000.0)
    pre_norm(m)
    for block in m.blocks():
        m.mlp(block)
    # As Llama 3.1 scales its rope: fast pairs stay, slow ones turn eight times slower.
    m.tensors["rope_freqs.weight"] = np.array([1, 1, 1, 1.5, 3, 8, 8, 8], np.float32)


@model("llama:mixtral")
def mixtral(m):
    m.decoder()
    m.set(expert_count=6, expert_used_count=2)
    pre_norm(m)
    for block in m.blocks():
        m.experts(block, 6, m.hidden)


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


@model("qwen2moe")
def qwen2moe(m):
    m.decoder()
    m.set(
        expert_count=7, expert_used_count=3, expert_feed_forward_length=32, expert_shared_feed_forward_length=64)
    pre_norm(m, bias=True)
    for block in m.blocks():
        m.experts(block, 7, 32)
        m.mlp(block, suffix="_shexp", hidden=64)
        m.matrix(f"{block}.ffn_gate_inp_shexp.weight", m.width, gain=math.sqrt(m.width) / 8)


@model("qwen3", head=32)
def qwen3(m):
    m.decoder(tied=True, base=1e6, head=True)
    pre_norm(m)
    for block in m.blocks():
        m.norm(f"{block}.attn_q_norm", m.head)
        m.norm(f"{block}.attn_k_norm", m.head)
        m.mlp(block)


@model("qwen3moe", head=32)
def qwen3moe(m):
    m.decoder(base=1e6, head=True)
    m.set(expert_count=9, expert_used_count=4, expert_feed_forward_length=32)
    pre_norm(m)
    for block in m.blocks():
        m.norm(f"{block}.attn_q_norm", m.head)
        m.norm(f"{block}.attn_k_norm", m.head)
        m.experts(block, 9, 32)


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
def gemma3(m):
    m.decoder(tied=True, embedding=0.125, head=True, base=1e6)
    m.set(
        attention__sliding_window=16, rope__freq_base_swa=10000.0, rope__scaling__type="linear",
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


@model("granitemoe")
def granitemoe(m):
    m.decoder(tied=True)
    m.set(
        attention__scale=0.3, embedding_scale=2.0, residual_scale=0.7, logit_scale=0.5, expert_count=6,
        expert_used_count=3, expert_shared_feed_forward_length=64)
    pre_norm(m)
    for block in m.blocks():
        m.experts(block, 6, m.hidden)
        m.mlp(block, suffix="_shexp", hidden=64)


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


def latent(m, compressed, query_rank, rank=32, plain=32, rope=16, value=24):
    m.decoder(head=False)
    m.set(
        attention__kv_lora_rank=rank, rope__dimension_count=rope, expert_count=8, expert_used_count=3,
        expert_feed_forward_length=32, expert_shared_count=2, leading_dense_block_count=1)
    if query_rank:
        m.set(attention__q_lora_rank=query_rank)
    if compressed:
        m.set(
            attention__head_count_kv=1, attention__key_length=rank + rope, attention__value_length=rank,
            attention__key_length_mla=plain + rope, attention__value_length_mla=value)
    else:
        m.set(attention__head_count_kv=m.heads, attention__key_length=plain + rope, attention__value_length=value)
    for layer, block in enumerate(m.blocks()):
        m.norm(f"{block}.attn_norm", m.width)
        if query_rank:
            m.linear(f"{block}.attn_q_a", query_rank, m.width)
            m.norm(f"{block}.attn_q_a_norm", query_rank)
            m.linear(f"{block}.attn_q_b", m.heads * (plain + rope), query_rank)
        else:
            m.linear(f"{block}.attn_q", m.heads * (plain + rope), m.width)
        m.linear(f"{block}.attn_kv_a_mqa", rank + rope, m.width)
        m.norm(f"{block}.attn_kv_a_norm", rank)
        if compressed:
            m.matrix(f"{block}.attn_k_b.weight", m.heads, rank, plain)
            m.matrix(f"{block}.attn_v_b.weight", m.heads, value, rank)
        else:
            m.linear(f"{block}.attn_kv_b", m.heads * (plain + value), rank)
        m.linear(f"{block}.attn_output", m.width, m.heads * value)
        m.norm(f"{block}.ffn_norm", m.width)
        if layer == 0:
            m.mlp(block)
        else:
            m.experts(block, 8, 32)
            m.mlp(block, suffix="_shexp", hidden=64)


@model("deepseek2", hidden=96)
def deepseek2(m):
    # As V3 and R1: sigmoid, groups, a bias on the choice, YaRN.
    latent(m, True, 48)
    m.set(
        expert_gating_func=2, expert_weights_norm=True, expert_weights_scale=2.5, expert_group_count=4,
        expert_group_used_count=2, rope__scaling__type="yarn", rope__scaling__factor=4.0,
        rope__scaling__original_context_length=32, rope__scaling__yarn_log_multiplier=0.1)
    for block in m.blocks()[1:]:
        m.vector(f"{block}.exp_probs_b.bias", 8, around=0)


@model("deepseek2:lite")
def deepseek2_lite(m):
    # As V2-Lite: softmax, no rank of queries.
    latent(m, True, None)
    m.set(expert_gating_func=1, expert_weights_scale=1.0)


@model("deepseek2:old")
def deepseek2_old(m):
    # As V2 in files of the first converters: keys and values in full; groups.
    latent(m, False, 48)
    m.set(expert_weights_scale=16.0, expert_group_count=4, expert_group_used_count=2)


@model("gpt-oss", head=32, layers=4)
def gpt_oss(m):
    m.decoder(head=True, base=150000.0)
    m.set(
        attention__sliding_window=16, expert_count=6, expert_used_count=3, expert_feed_forward_length=96,
        rope__scaling__type="yarn", rope__scaling__factor=8.0, rope__scaling__original_context_length=32,
        rope__scaling__yarn_beta_fast=8.0, rope__scaling__yarn_beta_slow=1.0)
    for block in m.blocks():
        m.norm(f"{block}.attn_norm", m.width)
        m.attention(block, bias=True, output_bias=True)
        m.vector(f"{block}.attn_sinks.weight", m.heads, around=1, spread=1)
        m.norm(f"{block}.post_attention_norm", m.width)
        m.experts(block, 6, 96)
        # Some gates beyond their limit of seven.
        m.tensors[f"{block}.ffn_gate_exps.weight"] *= 3
        m.tensors[f"{block}.ffn_up_exps.weight"] *= 3
        m.vector(f"{block}.ffn_gate_inp.bias", 6, around=0)
        m.vector(f"{block}.ffn_gate_exps.bias", 6, 96, around=0)
        m.vector(f"{block}.ffn_up_exps.bias", 6, 96, around=0)
        m.vector(f"{block}.ffn_down_exps.bias", 6, m.width, around=0)


@model("llama4", head=32, layers=5)
def llama4(m):
    m.decoder(head=True, base=500000.0)
    m.set(
        expert_count=6, expert_used_count=1, expert_feed_forward_length=64, interleave_moe_layer_step=2,
        attention__sliding_window=20, attention__temperature_length=16, attention__temperature_scale=0.3)
    pre_norm(m)
    for layer, block in enumerate(m.blocks()):
        if layer % 2 == 1:
            m.experts(block, 6, 64)
            m.mlp(block, suffix="_shexp", hidden=64)
        else:
            m.mlp(block)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("--type", choices=["f32", "q8_0"], default="f32")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    os.makedirs(options.out, exist_ok=True)
    for name in options.names or MODELS:
        MODELS[name]().write(os.path.join(options.out, name.replace(":", "-") + ".gguf"), options.type)


if __name__ == "__main__":
    main()

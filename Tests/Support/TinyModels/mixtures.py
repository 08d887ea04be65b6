"""Models with experts."""

import math

from tiny_model import model, pre_norm


@model("llama:mixtral")
def mixtral(m, experts=6):
    m.decoder()
    m.set(expert_count=experts, expert_used_count=2)
    pre_norm(m)
    for block in m.blocks():
        m.experts(block, experts, m.hidden)


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


@model("qwen3moe", head=32)
def qwen3moe(m, experts=9, used=4, hidden=32):
    m.decoder(base=1e6, head=True)
    m.set(expert_count=experts, expert_used_count=used, expert_feed_forward_length=hidden)
    pre_norm(m)
    for block in m.blocks():
        m.norm(f"{block}.attn_q_norm", m.head)
        m.norm(f"{block}.attn_k_norm", m.head)
        m.experts(block, experts, hidden)


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


def glm(m, own_norms, ahead=0):
    m.set(
        rope__dimension_count=m.head // 2, expert_count=7, expert_used_count=3, expert_feed_forward_length=32,
        expert_shared_count=1, leading_dense_block_count=1, expert_gating_func=2, expert_weights_norm=True,
        expert_weights_scale=2.5)
    for layer, block in enumerate(m.blocks(ahead)):
        m.norm(f"{block}.attn_norm", m.width)
        m.attention(block, bias=True)
        if own_norms:
            m.norm(f"{block}.attn_q_norm", m.head)
            m.norm(f"{block}.attn_k_norm", m.head)
        m.norm(f"{block}.post_attention_norm", m.width)
        if layer == 0:
            m.mlp(block)
        else:
            m.experts(block, 7, 32)
            m.vector(f"{block}.exp_probs_b.bias", 7, around=0)
            m.mlp(block, suffix="_shexp", hidden=32)


@model("glm4moe", head=32)
def glm4moe(m):
    # As GLM 4.5 and 4.6.
    m.decoder(head=True, base=1e6)
    glm(m, own_norms=True)


@model("glm4moe:air", head=32)
def glm4moe_air(m):
    # No norms of queries and keys; a layer that predicts the token after the next, which nobody reads.
    m.decoder(head=True, base=1e6)
    glm(m, own_norms=False, ahead=1)
    m.set(block_count=m.layers + 1, nextn_predict_layers=1)
    block = f"blk.{m.layers}.nextn"
    m.linear(f"{block}.eh_proj", m.width, 2 * m.width)
    for name in "enorm", "hnorm", "shared_head_norm":
        m.norm(f"{block}.{name}", m.width)


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

"""From a tiny model, as GGUF has it, to its class, configuration and weights in transformers."""

import numpy as np

# Names below a layer, or of the whole model, without `.weight` and `.bias`.
WHOLE = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
LAYER = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_qkv": "self_attn.qkv_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "ffn_gate_inp": "mlp.gate",
    "ffn_gate_shexp": "mlp.shared_expert.gate_proj",
    "ffn_up_shexp": "mlp.shared_expert.up_proj",
    "ffn_down_shexp": "mlp.shared_expert.down_proj",
    "ffn_gate_inp_shexp": "mlp.shared_expert_gate",
}
# Tensors that transformers has in its configuration.
ROPE_FACTORS = {"rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"}


def interleaved(array, heads):
    """Undoes the converters' order of rows for interleaved rope: halves of each head again."""
    pairs = array.shape[0] // heads // 2
    return array.reshape(heads, pairs, 2, -1).swapaxes(1, 2).reshape(array.shape)


def rename(m, layer=None, change=None):
    """All tensors under their new names. `change(name, array)` may replace an array; experts' gate and up become one."""
    names = LAYER | (layer or {})
    weights = {}
    for name, array in m.tensors.items():
        if name in ROPE_FACTORS:
            continue
        if change:
            array = change(name, array)
        stem, kind = name.rsplit(".", 1)
        if stem.startswith("blk."):
            _, index, part = stem.split(".")
            prefix = f"model.layers.{index}"
            if part in ("ffn_gate_exps", "ffn_up_exps"):
                if part == "ffn_up_exps":
                    gate = m.tensors[f"blk.{index}.ffn_gate_exps.{kind}"]
                    weights[f"{prefix}.mlp.experts.gate_up_proj"] = np.concatenate([gate, array], axis=1)
                continue
            if part == "ffn_down_exps":
                weights[f"{prefix}.mlp.experts.down_proj"] = array
                continue
            if part == "ffn_gate_inp_shexp":
                array = array[None]
            weights[f"{prefix}.{names[part]}.{kind}"] = array
        else:
            weights[f"{WHOLE[stem]}.{kind}"] = array
    return weights


def config(m, **more):
    """The keys that all configurations share; special tokens as in the tiny vocabulary."""
    data = m.metadata
    result = dict(
        vocab_size=data["vocab_size"], hidden_size=m.width, intermediate_size=m.hidden, num_hidden_layers=m.layers,
        num_attention_heads=m.heads, num_key_value_heads=m.kv_heads, head_dim=m.head,
        max_position_embeddings=data["context_length"],
        rope_parameters={"rope_type": "default", "rope_theta": data["rope.freq_base"]},
        tie_word_embeddings="output.weight" not in m.tensors, pad_token_id=0, bos_token_id=1, eos_token_id=2)
    if "attention.layer_norm_rms_epsilon" in data:
        result["rms_norm_eps"] = data["attention.layer_norm_rms_epsilon"]
    return result | more


def swap_rope_rows(m):
    def change(name, array):
        if ".attn_q." in name:
            return interleaved(array, m.heads)
        if ".attn_k." in name:
            return interleaved(array, m.kv_heads)
        return array

    return change


def llama(m):
    weights = rename(m, change=swap_rope_rows(m))
    settings = config(m)
    if "expert_count" in m.metadata:
        settings |= dict(
            num_local_experts=m.metadata["expert_count"], num_experts_per_tok=m.metadata["expert_used_count"],
            sliding_window=None)
        return "MixtralForCausalLM", settings, weights
    # The factors 1, 1.5, 3 and 8 come from no rule of transformers: tables are made equal in `rope_factors`.
    settings["rope_parameters"] |= {"rope_type": "longrope", "factor": 1.0, "original_max_position_embeddings": 1024}
    factors = m.tensors["rope_freqs.weight"].tolist()
    settings["rope_parameters"] |= {"short_factor": factors, "long_factor": factors, "attention_factor": 1.0}
    return "LlamaForCausalLM", settings, weights


def qwen2(m):
    settings = config(m, use_sliding_window=False)
    del settings["head_dim"]
    if m.metadata.get("rope.scaling.type") == "yarn":
        settings["rope_parameters"] |= {
            "rope_type": "yarn", "factor": m.metadata["rope.scaling.factor"],
            "original_max_position_embeddings": m.metadata["rope.scaling.original_context_length"],
        }
    return "Qwen2ForCausalLM", settings, rename(m)


def mixture(m):
    return dict(
        num_experts=m.metadata["expert_count"], num_experts_per_tok=m.metadata["expert_used_count"],
        moe_intermediate_size=m.metadata["expert_feed_forward_length"])


def qwen2moe(m):
    settings = config(
        m, **mixture(m), shared_expert_intermediate_size=m.metadata["expert_shared_feed_forward_length"],
        norm_topk_prob=False)
    del settings["head_dim"]
    return "Qwen2MoeForCausalLM", settings, rename(m)


def qwen3(m):
    return "Qwen3ForCausalLM", config(m, use_sliding_window=False), rename(m)


def qwen3moe(m):
    return "Qwen3MoeForCausalLM", config(m, **mixture(m), norm_topk_prob=True), rename(m)


GEMMA = {
    "post_attention_norm": "post_attention_layernorm", "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
}


def gemma_norm(name, array):
    # transformers multiplies by one plus the weight.
    return array - 1 if "norm" in name else array


def gemma2(m):
    data = m.metadata
    settings = config(
        m, sliding_window=data["attention.sliding_window"], query_pre_attn_scalar=m.head,
        attn_logit_softcapping=data["attn_logit_softcapping"], final_logit_softcapping=data["final_logit_softcapping"])
    return "Gemma2ForCausalLM", settings, rename(m, GEMMA, gemma_norm)


def gemma3(m):
    data = m.metadata
    full = {"rope_type": "linear", "factor": data["rope.scaling.factor"], "rope_theta": data["rope.freq_base"]}
    settings = config(m, sliding_window=data["attention.sliding_window"], query_pre_attn_scalar=m.head)
    settings["rope_parameters"] = {
        "full_attention": full,
        "sliding_attention": {"rope_type": "default", "rope_theta": data["rope.freq_base_swa"]},
    }
    return "Gemma3ForCausalLM", settings, rename(m, GEMMA, gemma_norm)


def phi3(m):
    data = m.metadata
    settings = config(m, sliding_window=data["attention.sliding_window"] or None)
    del settings["head_dim"]
    if "rope.scaling.original_context_length" in data:
        original = data["rope.scaling.original_context_length"]
        settings["original_max_position_embeddings"] = original
        settings["rope_parameters"] |= {
            "rope_type": "longrope", "original_max_position_embeddings": original,
            "partial_rotary_factor": data["rope.dimension_count"] / m.head,
            "short_factor": m.tensors["rope_factors_short.weight"].tolist(),
            "long_factor": m.tensors["rope_factors_long.weight"].tolist(),
        }
    return "Phi3ForCausalLM", settings, rename(m, {"ffn_up": "mlp.gate_up_proj"})


ARCHITECTURES = {
    "llama": llama, "qwen2": qwen2, "qwen2moe": qwen2moe, "qwen3": qwen3, "qwen3moe": qwen3moe, "gemma2": gemma2,
    "gemma3": gemma3, "phi3": phi3,
}

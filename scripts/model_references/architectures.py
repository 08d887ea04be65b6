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
    """All tensors under their new names, but for layers that predict further tokens. `change(name, array)` may replace an array; experts' gate and up become one."""
    names = LAYER | (layer or {})
    weights = {}
    for name, array in m.tensors.items():
        if name in ROPE_FACTORS or name.startswith(f"blk.{m.layers}."):
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


def scaling(m):
    """YaRN as transformers states it."""
    data = m.metadata
    return {
        "rope_type": "yarn", "factor": data["rope.scaling.factor"],
        "original_max_position_embeddings": data["rope.scaling.original_context_length"],
    }


def mistral3(m):
    data = m.metadata
    settings = config(m, sliding_window=None)
    settings["rope_parameters"] |= scaling(m) | {
        "beta_fast": data["rope.scaling.yarn_beta_fast"], "beta_slow": data["rope.scaling.yarn_beta_slow"],
        "mscale": 1.0, "mscale_all_dim": data["rope.scaling.yarn_log_multiplier"],
        "llama_4_scaling_beta": data["attention.temperature_scale"],
    }
    return "Ministral3ForCausalLM", settings, rename(m, change=swap_rope_rows(m))


def smollm3(m):
    settings = config(m, use_sliding_window=False)
    del settings["head_dim"]
    return "SmolLM3ForCausalLM", settings, rename(m, change=swap_rope_rows(m))


POST_NORMS = {"post_attention_norm": "post_attention_layernorm", "post_ffw_norm": "post_feedforward_layernorm"}


def olmo2(m):
    settings = config(m)
    del settings["head_dim"]
    if "attention.sliding_window" not in m.metadata:
        return "Olmo2ForCausalLM", settings, rename(m, POST_NORMS)
    kinds = {True: "sliding_attention", False: "full_attention"}
    settings |= dict(
        sliding_window=m.metadata["attention.sliding_window"],
        layer_types=[kinds[flag] for flag in m.metadata["attention.sliding_window_pattern"]])
    plain = settings["rope_parameters"]
    settings["rope_parameters"] = {"full_attention": plain | scaling(m), "sliding_attention": plain}
    return "Olmo3ForCausalLM", settings, rename(m, POST_NORMS)


def granite(m):
    data = m.metadata
    settings = config(
        m, attention_multiplier=data["attention.scale"], embedding_multiplier=data["embedding_scale"],
        residual_multiplier=data["residual_scale"], logits_scaling=data["logit_scale"])
    del settings["head_dim"]
    if "expert_count" not in data:
        return "GraniteForCausalLM", settings, rename(m, change=swap_rope_rows(m))
    settings |= dict(
        num_local_experts=data["expert_count"], num_experts_per_tok=data["expert_used_count"],
        shared_intermediate_size=data["expert_shared_feed_forward_length"])
    names = {
        "ffn_gate_inp": "block_sparse_moe.router", "ffn_up_shexp": "up", "ffn_gate_shexp": "gate",
        "ffn_down_shexp": "shared_mlp.output_linear",
    }
    weights = rename(m, names, swap_rope_rows(m))
    weights = {name.replace(".mlp.experts", ".block_sparse_moe.experts"): value for name, value in weights.items()}
    for layer in range(m.layers):
        gate, up = (weights.pop(f"model.layers.{layer}.{part}.weight") for part in ("gate", "up"))
        weights[f"model.layers.{layer}.shared_mlp.input_linear.weight"] = np.concatenate([gate, up])
    return "GraniteMoeSharedForCausalLM", settings, weights


def command_r(m):
    data = m.metadata
    settings = config(
        m, layer_norm_eps=data["attention.layer_norm_epsilon"], logit_scale=data["logit_scale"],
        use_qk_norm="blk.0.attn_q_norm.weight" in m.tensors)
    del settings["head_dim"]
    return "CohereForCausalLM", settings, rename(m)


def cohere2(m):
    data = m.metadata
    settings = config(
        m, layer_norm_eps=data["attention.layer_norm_epsilon"], logit_scale=data["logit_scale"],
        sliding_window=data["attention.sliding_window"])
    return "Cohere2ForCausalLM", settings, rename(m)


def glm4(m):
    names = {
        "post_attention_norm": "post_self_attn_layernorm", "post_ffw_norm": "post_mlp_layernorm",
        "ffn_up": "mlp.gate_up_proj",
    }
    settings = config(m, attention_bias=True)
    settings["rope_parameters"]["partial_rotary_factor"] = m.metadata["rope.dimension_count"] / m.head
    return "Glm4ForCausalLM", settings, rename(m, names)


def starcoder2(m):
    settings = config(m, norm_epsilon=m.metadata["attention.layer_norm_epsilon"], sliding_window=None)
    del settings["head_dim"]
    return "Starcoder2ForCausalLM", settings, rename(m, {"ffn_up": "mlp.c_fc", "ffn_down": "mlp.c_proj"})


def stablelm(m):
    own = "blk.0.attn_q_norm.weight" in m.tensors
    settings = config(
        m, layer_norm_eps=m.metadata["attention.layer_norm_epsilon"], qk_layernorm=own,
        use_parallel_residual=m.metadata["use_parallel_residual"], use_qkv_bias="blk.0.attn_q.bias" in m.tensors)
    del settings["head_dim"]
    settings["rope_parameters"]["partial_rotary_factor"] = m.metadata["rope.dimension_count"] / m.head
    weights = rename(m)
    if own:
        for layer in range(m.layers):
            for part in "qk":
                stack = weights.pop(f"model.layers.{layer}.self_attn.{part}_norm.weight")
                for head, weight in enumerate(stack):
                    weights[f"model.layers.{layer}.self_attn.{part}_layernorm.norms.{head}.weight"] = weight
    return "StableLmForCausalLM", settings, weights


def deepseek2(m):
    data = m.metadata
    compressed = "attention.key_length_mla" in data
    suffix = "_mla" if compressed else ""
    rank, rope = data["attention.kv_lora_rank"], data["rope.dimension_count"]
    plain, value = data[f"attention.key_length{suffix}"] - rope, data[f"attention.value_length{suffix}"]
    is_v3 = data.get("expert_gating_func") == 2
    settings = config(
        m, num_key_value_heads=m.heads, kv_lora_rank=rank, q_lora_rank=data.get("attention.q_lora_rank"),
        qk_rope_head_dim=rope, qk_nope_head_dim=plain, v_head_dim=value, n_routed_experts=data["expert_count"],
        num_experts_per_tok=data["expert_used_count"], n_shared_experts=data["expert_shared_count"],
        moe_intermediate_size=data["expert_feed_forward_length"], routed_scaling_factor=data["expert_weights_scale"],
        first_k_dense_replace=data["leading_dense_block_count"], norm_topk_prob=data.get("expert_weights_norm", False))
    del settings["head_dim"]
    if "expert_group_count" in data:
        settings |= dict(
            n_group=data["expert_group_count"], topk_group=data["expert_group_used_count"],
            topk_method="group_limited_greedy")
    if "rope.scaling.type" in data:
        spread = 10 * data["rope.scaling.yarn_log_multiplier"]
        settings["rope_parameters"] |= scaling(m) | {"mscale": spread, "mscale_all_dim": spread}
    names = {
        "attn_q_a": "self_attn.q_a_proj", "attn_q_a_norm": "self_attn.q_a_layernorm", "attn_q_b": "self_attn.q_b_proj",
        "attn_kv_a_mqa": "self_attn.kv_a_proj_with_mqa", "attn_kv_a_norm": "self_attn.kv_a_layernorm",
        "attn_kv_b": "self_attn.kv_b_proj", "attn_k_b": "k_b", "attn_v_b": "v_b", "exp_probs_b": "mlp.gate",
        "ffn_gate_shexp": "mlp.shared_experts.gate_proj", "ffn_up_shexp": "mlp.shared_experts.up_proj",
        "ffn_down_shexp": "mlp.shared_experts.down_proj",
    }
    weights = {
        name.replace("mlp.gate.bias", "mlp.gate.e_score_correction_bias"): array
        for name, array in rename(m, names).items()
    }
    if compressed:
        for layer in range(m.layers):
            k, v = (weights.pop(f"model.layers.{layer}.{part}.weight") for part in ("k_b", "v_b"))
            both = np.concatenate([k.swapaxes(1, 2), v], axis=1)
            weights[f"model.layers.{layer}.self_attn.kv_b_proj.weight"] = both.reshape(-1, rank)
    return "DeepseekV3ForCausalLM" if is_v3 else "DeepseekV2ForCausalLM", settings, weights


def glm4moe(m):
    data = m.metadata
    settings = config(
        m, attention_bias=True, use_qk_norm="blk.0.attn_q_norm.weight" in m.tensors, n_routed_experts=data["expert_count"],
        num_experts_per_tok=data["expert_used_count"], n_shared_experts=data["expert_shared_count"],
        moe_intermediate_size=data["expert_feed_forward_length"], routed_scaling_factor=data["expert_weights_scale"],
        first_k_dense_replace=data["leading_dense_block_count"], norm_topk_prob=data["expert_weights_norm"])
    settings["rope_parameters"]["partial_rotary_factor"] = data["rope.dimension_count"] / m.head
    names = {
        "post_attention_norm": "post_attention_layernorm", "exp_probs_b": "mlp.gate",
        "ffn_gate_shexp": "mlp.shared_experts.gate_proj", "ffn_up_shexp": "mlp.shared_experts.up_proj",
        "ffn_down_shexp": "mlp.shared_experts.down_proj",
    }
    weights = {
        name.replace("mlp.gate.bias", "mlp.gate.e_score_correction_bias"): array
        for name, array in rename(m, names).items()
    }
    return "Glm4MoeForCausalLM", settings, weights


def gpt_oss(m):
    data = m.metadata
    settings = config(
        m, sliding_window=data["attention.sliding_window"], num_local_experts=data["expert_count"],
        num_experts_per_tok=data["expert_used_count"])
    settings["rope_parameters"] |= scaling(m) | {
        "beta_fast": data["rope.scaling.yarn_beta_fast"], "beta_slow": data["rope.scaling.yarn_beta_slow"],
        "truncate": False,
    }
    names = {
        "post_attention_norm": "post_attention_layernorm", "ffn_gate_inp": "mlp.router", "attn_sinks": "self_attn.sinks",
    }
    weights = rename(m, names)
    for layer in range(m.layers):
        prefix, block = f"model.layers.{layer}", f"blk.{layer}"
        weights[f"{prefix}.self_attn.sinks"] = weights.pop(f"{prefix}.self_attn.sinks.weight")
        # Gate and up alternate, matrices are transposed, biases have names of their own.
        for kind, suffix in (("weight", ""), ("bias", "_bias")):
            gate, up = (m.tensors[f"{block}.ffn_{part}_exps.{kind}"] for part in ("gate", "up"))
            both = np.stack([gate, up], axis=2).reshape(gate.shape[0], 2 * gate.shape[1], *gate.shape[2:])
            down = m.tensors[f"{block}.ffn_down_exps.{kind}"]
            if kind == "weight":
                both, down = both.swapaxes(1, 2), down.swapaxes(1, 2)
            weights[f"{prefix}.mlp.experts.gate_up_proj{suffix}"] = both
            weights[f"{prefix}.mlp.experts.down_proj{suffix}"] = down
    return "GptOssForCausalLM", settings, weights


def llama4(m):
    data = m.metadata
    settings = config(
        m, intermediate_size=data["expert_feed_forward_length"], intermediate_size_mlp=m.hidden,
        num_local_experts=data["expert_count"], num_experts_per_tok=data["expert_used_count"],
        interleave_moe_layer_step=data["interleave_moe_layer_step"],
        attention_chunk_size=data["attention.sliding_window"], floor_scale=data["attention.temperature_length"],
        attn_scale=data["attention.temperature_scale"])
    names = {
        "ffn_gate": "feed_forward.gate_proj", "ffn_up": "feed_forward.up_proj", "ffn_down": "feed_forward.down_proj",
        "ffn_gate_inp": "feed_forward.router", "ffn_gate_shexp": "feed_forward.shared_expert.gate_proj",
        "ffn_up_shexp": "feed_forward.shared_expert.up_proj", "ffn_down_shexp": "feed_forward.shared_expert.down_proj",
    }
    weights = {}
    for name, array in rename(m, names).items():
        if ".mlp.experts" in name:
            name, array = name.replace(".mlp.", ".feed_forward."), array.swapaxes(1, 2)
        weights[name] = array
    return "Llama4ForCausalLM", settings, weights


ARCHITECTURES = {
    "llama": llama, "qwen2": qwen2, "qwen2moe": qwen2moe, "qwen3": qwen3, "qwen3moe": qwen3moe, "gemma2": gemma2,
    "gemma3": gemma3, "phi3": phi3, "mistral3": mistral3, "smollm3": smollm3, "olmo2": olmo2, "granite": granite,
    "granitemoe": granite, "command-r": command_r, "cohere2": cohere2, "glm4": glm4, "glm4moe": glm4moe, "starcoder2": starcoder2,
    "stablelm": stablelm, "deepseek2": deepseek2, "gpt-oss": gpt_oss, "llama4": llama4,
}

"""Writes the GGUF file: Q8_0 matrices, F32 norms, the vocabulary and the chat template."""

import gguf
import numpy as np
import torch

from . import chat
from .model import Llama
from .tokenizer import SPECIAL, Tokenizer


def export(model: Llama, tokenizer: Tokenizer, path: str) -> None:
    c = model.config
    w = gguf.GGUFWriter(path, "llama")
    w.add_name("Pebble")
    w.add_description("A tiny storyteller: the example model of tgi-run, trained from scratch by its "
                      "scripts/train-example-model on text that a grammar wrote.")
    w.add_license("apache-2.0")
    w.add_languages(["en"])
    w.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    w.add_quantization_version(gguf.GGML_QUANT_VERSION)

    w.add_context_length(c.context)
    w.add_embedding_length(c.width)
    w.add_block_count(c.layers)
    w.add_feed_forward_length(c.ffn)
    w.add_head_count(c.heads)
    w.add_head_count_kv(c.kv_heads)
    w.add_rope_dimension_count(c.head)
    w.add_rope_freq_base(c.rope_base)
    w.add_layer_norm_rms_eps(c.eps)
    w.add_vocab_size(c.vocab)

    tokens, merges = tokenizer.gguf_strings()
    assert len(tokens) == c.vocab
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("llama-bpe")
    w.add_token_list(tokens)
    w.add_token_types([gguf.TokenType.NORMAL] * (c.vocab - len(SPECIAL)) + [gguf.TokenType.CONTROL] * len(SPECIAL))
    w.add_token_merges(merges)
    w.add_bos_token_id(tokenizer.bos)
    w.add_eos_token_id(tokenizer.eos)
    w.add_eot_token_id(tokenizer.eot)
    w.add_add_bos_token(True)
    w.add_add_eos_token(False)
    w.add_chat_template(chat.TEMPLATE)

    for name, tensor in model.state_dict().items():
        data = tensor.detach().to(torch.float32).numpy()
        if data.ndim == 1:
            w.add_tensor(name, data)
        else:
            q8 = gguf.GGMLQuantizationType.Q8_0
            w.add_tensor(name, gguf.quants.quantize(np.ascontiguousarray(data), q8), raw_dtype=q8)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()

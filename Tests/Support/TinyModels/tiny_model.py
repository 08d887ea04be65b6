"""A model with random weights: metadata, tensors that come from their names alone, and the GGUF file of both."""

import hashlib
import math

import gguf
import numpy as np

VOCABULARY = 259  # <unk>, <s>, </s> and the 256 bytes
CONTEXT = 128


def noise(name, count):
    """Uniform numbers of variance one (SplitMix64 over the index, from a seed by name)."""
    seed = np.uint64(int.from_bytes(hashlib.md5(name.encode()).digest()[:8], "little"))
    result = np.empty(count, np.float32)
    for start in range(0, count, 1 << 20):
        end = min(start + (1 << 20), count)
        with np.errstate(over="ignore"):
            z = seed + np.arange(start + 1, end + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
            z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            z ^= z >> np.uint64(31)
        unit = (z >> np.uint64(40)).astype(np.float64) / 2.0**24
        result[start:end] = (2 * unit - 1) * math.sqrt(3)
    return result


class TinyModel:
    """Metadata (keys without the architecture's prefix) and tensors (in the order of numpy: outputs first)."""

    def __init__(self, name, architecture, **sizes):
        self.name, self.architecture = name, architecture
        self.metadata, self.tensors = {}, {}
        self.raw_types = {}  # of tensors that are bytes of blocks already
        self.width, self.layers, self.hidden = 64, 3, 96
        self.heads, self.kv_heads, self.head = 4, 2, 16
        self.vocabulary, self.context = VOCABULARY, CONTEXT
        self.matrix_type = np.float32
        for key, value in sizes.items():
            setattr(self, key, value)

    def set(self, **keys):
        """Two underscores in a name stand for a dot."""
        self.metadata.update({key.replace("__", "."): value for key, value in keys.items()})

    def matrix(self, name, *shape, gain=1.0):
        values = noise(name, math.prod(shape)) * gain / math.sqrt(shape[-1])
        self.tensors[name] = values.astype(self.matrix_type).reshape(shape)

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
            context_length=self.context, embedding_length=self.width, block_count=self.layers, feed_forward_length=self.hidden,
            attention__head_count=self.heads, attention__head_count_kv=self.kv_heads, rope__freq_base=base,
            rope__dimension_count=self.head, vocab_size=self.vocabulary)
        if head:
            self.set(attention__key_length=self.head, attention__value_length=self.head)
        self.set(**({"attention__layer_norm_rms_epsilon": 1e-6} if epsilon == "rms" else {"attention__layer_norm_epsilon": 1e-5}))
        self.matrix("token_embd.weight", self.vocabulary, self.width, gain=embedding * math.sqrt(self.width))
        self.norm("output_norm", self.width, norm_bias)
        if not tied:
            self.matrix("output.weight", self.vocabulary, self.width, gain=4)

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

    def blocks(self, ahead=0):
        """Of all layers, and of some behind them that predict further tokens."""
        return [f"blk.{layer}" for layer in range(self.layers + ahead)]

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
        more = self.vocabulary - VOCABULARY
        writer.add_token_list(
            ["<unk>", "<s>", "</s>"] + [f"<0x{value:02X}>" for value in range(256)] + [f"w{index}" for index in range(more)])
        writer.add_token_scores([0.0] * VOCABULARY + [-1.0] * more)
        writer.add_token_types(
            [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL] + [byte] * 256
            + [gguf.TokenType.NORMAL] * more)
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(2)
        for name, array in self.tensors.items():
            if name in self.raw_types:
                writer.add_tensor(name, array, raw_dtype=self.raw_types[name])
                continue
            # What converters keep in F32 stays so: vectors and routers.
            plain = array.ndim == 1 or "norm" in name or "ffn_gate_inp" in name or name.endswith("bias")
            if kind == "q8_0" and not plain and array.shape[-1] % 32 == 0:
                types = gguf.GGMLQuantizationType
                chosen = types.MXFP4 if self.architecture == "gpt-oss" and "_exps" in name else types.Q8_0
                writer.add_tensor(name, gguf.quants.quantize(array, chosen), raw_dtype=chosen)
            else:
                writer.add_tensor(name, array.astype(np.float32) if plain else array)
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

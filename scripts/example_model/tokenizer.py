"""Byte-level BPE: the trainer, the encoder and the strings that GGUF stores.

Text is split as `tokenizer.ggml.pre = llama-bpe` splits it; merges never cross the pieces. Ids 0...255 are the bytes,
then one id for each merge in the order of training, then the special tokens. So every text has an encoding.
"""

from collections import Counter, defaultdict

import regex

SPLIT = regex.compile(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
SPECIAL = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
SPLIT_SPECIAL = regex.compile("(" + "|".join(map(regex.escape, SPECIAL)) + ")")


def printable_bytes():
    """GPT-2's picture of each byte: itself where it is printable, else a letter from U+0100 on."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in plain]
    return {**{b: chr(b) for b in plain}, **{b: chr(0x100 + i) for i, b in enumerate(others)}}


class Tokenizer:
    def __init__(self, merges):
        self.merges = merges  # pairs of byte strings, best first
        self.pieces = [bytes([b]) for b in range(256)] + [a + b for a, b in merges]
        self.ids = {piece: i for i, piece in enumerate(self.pieces)}
        self.ranks = {pair: rank for rank, pair in enumerate(merges)}
        self.special = {text: len(self.pieces) + i for i, text in enumerate(SPECIAL)}
        self.bos, self.eos, self.eot = (self.special[t] for t in ("<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"))
        self.cache = {}

    @property
    def size(self):
        return len(self.pieces) + len(SPECIAL)

    @classmethod
    def train(cls, texts, size):
        """Merges the most frequent neighbours until there are `size` ids; ties go to the first in byte order."""
        counts = Counter(piece.encode() for text in texts for part in SPLIT_SPECIAL.split(text)
                         if part not in SPECIAL for piece in SPLIT.findall(part))
        pieces = [([bytes([b]) for b in piece], n) for piece, n in sorted(counts.items())]
        pairs, where = Counter(), defaultdict(set)
        for i, (symbols, n) in enumerate(pieces):
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += n
                where[pair].add(i)
        merges = []
        while len(merges) < size - 256 - len(SPECIAL):
            best = max(pairs, key=lambda pair: (pairs[pair], pair))
            merges.append(best)
            for i in where.pop(best):
                symbols, n = pieces[i]
                for pair in zip(symbols, symbols[1:]):
                    pairs[pair] -= n
                symbols[:] = merged(symbols, best)
                for pair in zip(symbols, symbols[1:]):
                    pairs[pair] += n
                    where[pair].add(i)
            del pairs[best]
        return cls(merges)

    def encode_piece(self, piece):
        if piece not in self.cache:
            symbols = [bytes([b]) for b in piece]
            while piece not in self.ids and len(symbols) > 1:
                best = min(zip(symbols, symbols[1:]), key=lambda pair: self.ranks.get(pair, len(self.ranks)))
                if best not in self.ranks:
                    break
                symbols = merged(symbols, best)
            self.cache[piece] = [self.ids[piece]] if piece in self.ids else [self.ids[s] for s in symbols]
        return self.cache[piece]

    def encode(self, text):
        """Ids of the text, its special tokens among them, without BOS."""
        result = []
        for part in SPLIT_SPECIAL.split(text):
            if part in self.special:
                result.append(self.special[part])
            else:
                for piece in SPLIT.findall(part):
                    result += self.encode_piece(piece.encode())
        return result

    def decode(self, ids):
        return b"".join(self.pieces[i] if i < len(self.pieces) else SPECIAL[i - len(self.pieces)].encode()
                        for i in ids).decode(errors="replace")

    def gguf_strings(self):
        """The tokens and the merges as GGUF stores them."""
        picture = printable_bytes()

        def draw(piece):
            return "".join(picture[b] for b in piece)

        return [*map(draw, self.pieces), *SPECIAL], [f"{draw(a)} {draw(b)}" for a, b in self.merges]


def merged(symbols, pair):
    result, i = [], 0
    while i < len(symbols):
        if i + 1 < len(symbols) and (symbols[i], symbols[i + 1]) == pair:
            result.append(symbols[i] + symbols[i + 1])
            i += 2
        else:
            result.append(symbols[i])
            i += 1
    return result

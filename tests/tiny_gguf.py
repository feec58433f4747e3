"""Builds model files of random weights: real llama.cpp, real tokens, no meaning, under a megabyte.

Does not imitate: a model that ends by itself, or that obeys what it is told.
"""

from pathlib import Path

import numpy
from gguf import GGUFWriter, PoolingType, TokenType

__all__ = ["PLAIN_TEMPLATE", "build_tiny_gguf"]

PLAIN_TEMPLATE = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
_WIDTH, _HEADS, _SHARED_HEADS, _LAYERS, _INNER = 128, 4, 2, 2, 256
_LETTERS = [chr(code) for code in (*range(32, 127), *range(0x410, 0x450), 0x401, 0x451)]


def build_tiny_gguf(
    path: Path,
    *,
    context_tokens: int = 4096,
    template: str | None = PLAIN_TEMPLATE,
    pools: bool = False,
    seed: int = 1,
) -> Path:
    """Write a model and return its path. Its tokens are bytes and single letters.

    Args:
        pools: Whether it says of itself that it makes vectors.
    """
    writer = GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(context_tokens)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(_LAYERS)
    writer.add_feed_forward_length(_INNER)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_SHARED_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_WIDTH // _HEADS)
    writer.add_file_type(1)
    if pools:
        writer.add_pooling_type(PoolingType.MEAN)
    tokens = _add_vocabulary(writer)
    if template is not None:
        writer.add_chat_template(template)
    _add_weights(writer, tokens, numpy.random.default_rng(seed))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_vocabulary(writer: GGUFWriter) -> int:
    special = [
        (b"<unk>", 0.0, TokenType.UNKNOWN),
        (b"<s>", 0.0, TokenType.CONTROL),
        (b"</s>", 0.0, TokenType.CONTROL),
    ]
    # Without tokens of this type and these names no text outside the letters could be written.
    single = [(f"<0x{byte:02X}>".encode(), 0.0, TokenType.BYTE) for byte in range(256)]
    letters = [
        (("▁" if letter == " " else letter).encode(), -float(place), TokenType.NORMAL)
        for place, letter in enumerate(_LETTERS)
    ]
    entries = [*special, *single, *letters]
    writer.add_vocab_size(len(entries))
    writer.add_tokenizer_model("llama")
    writer.add_token_list([text for text, _, _ in entries])
    writer.add_token_scores([score for _, score, _ in entries])
    writer.add_token_types([kind for _, _, kind in entries])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    return len(entries)


def _add_weights(writer: GGUFWriter, tokens: int, chance: numpy.random.Generator) -> None:
    def add(name: str, rows: int, columns: int, *, scale: float = 0.05) -> None:
        weights = chance.standard_normal((rows, columns)) * scale
        writer.add_tensor(f"{name}.weight", weights.astype(numpy.float16))

    def add_ones(name: str) -> None:
        writer.add_tensor(f"{name}.weight", numpy.ones(_WIDTH, numpy.float32))

    shared = _WIDTH // _HEADS * _SHARED_HEADS
    add("token_embd", tokens, _WIDTH, scale=0.5)
    add("output", tokens, _WIDTH, scale=0.3)
    add_ones("output_norm")
    for layer in range(_LAYERS):
        block = f"blk.{layer}"
        add_ones(f"{block}.attn_norm")
        add_ones(f"{block}.ffn_norm")
        add(f"{block}.attn_q", _WIDTH, _WIDTH)
        add(f"{block}.attn_k", shared, _WIDTH)
        add(f"{block}.attn_v", shared, _WIDTH)
        add(f"{block}.attn_output", _WIDTH, _WIDTH)
        add(f"{block}.ffn_gate", _INNER, _WIDTH)
        add(f"{block}.ffn_up", _INNER, _WIDTH)
        add(f"{block}.ffn_down", _WIDTH, _INNER)

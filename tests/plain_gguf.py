"""A GGUF file again with every weight as F32: beside quantized weights `ead` and other engines round
activations, each in its own way, and that would hide how alike they are. tools/ has to be importable."""

import struct

import export_hf


def write_plain(path, out):
    """The same GGUF file, every weight as F32."""
    source = export_hf.Gguf(path)
    infos, bodies, at = b"", [], 0
    for name in source.tensors:
        shape, values = source.weights(name)
        infos += struct.pack("<Q", len(name)) + name.encode()
        infos += struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape[::-1], 0, at)
        bodies.append(values.tobytes() + bytes(-len(values) * 4 % 32))
        at += len(bodies[-1])
    first = next(iter(source.tensors))
    head = source.data[:source.data.index(struct.pack("<Q", len(first)) + first.encode())] + infos
    with open(out, "wb") as file:
        file.write(head + bytes(-len(head) % 32) + b"".join(bodies))

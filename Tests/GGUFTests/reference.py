"""Lists a GGUF file as the `gguf` package reads it: reference.py FILE LISTING"""

import sys
import zlib

from gguf import GGUFReader, GGUFValueType

sys.stdout = open(sys.argv[2], "w", encoding="utf-8")
reader = GGUFReader(sys.argv[1])
for field in reader.fields.values():
    if field.name.startswith("GGUF."):
        continue
    parts = [field.parts[index].tobytes() for index in field.data]
    if field.types and field.types[-1] == GGUFValueType.STRING:
        parts = [len(part).to_bytes(8, "little") + part for part in parts]
    types = ".".join(kind.name.lower() for kind in field.types)
    print("key", field.name, types, zlib.adler32(b"".join(parts)))
for tensor in reader.tensors:
    shape = "x".join(str(int(extent)) for extent in tensor.shape)
    kind = tensor.tensor_type.name
    print("tensor", tensor.name, shape, kind, int(tensor.data_offset), zlib.adler32(tensor.data.tobytes()))

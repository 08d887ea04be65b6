import Quant

/// Small valid files that between them use all of the format.
package enum Seeds {
    package static let files: [SeedFile] = [
        SeedFile(), scalars(), arrays(), nested(depth: 3), nested(depth: 8), strings(), matrices(), quantized(),
        alignment(8), alignment(256), mixed(version: 2), mixed(version: 3),
    ]

    /// The files of one split model.
    package static let shards: [SeedFile] = (0..<3).map { shard($0, of: 3) }

    package static func shardPath(_ number: Int, of count: Int = 3) -> String {
        "model-0000\(number + 1)-of-0000\(count).gguf"
    }

    private static func scalars(version: UInt32 = 3) -> SeedFile {
        var file = SeedFile(version: version)
        addScalars(&file)
        return file
    }

    private static func addScalars(_ file: inout SeedFile) {
        file.entry("general.architecture") { $0.string("llama") }
        file.entry("a.uint8") { $0.scalar(0, UInt8(200)) }
        file.entry("a.int8") { $0.scalar(1, Int8(-100)) }
        file.entry("a.uint16") { $0.scalar(2, UInt16(60000)) }
        file.entry("a.int16") { $0.scalar(3, Int16(-30000)) }
        file.entry("a.uint32") { $0.scalar(4, UInt32(4_000_000_000)) }
        file.entry("a.int32") { $0.scalar(5, Int32(-2_000_000_000)) }
        file.entry("a.float32") { $0.scalar(6, Float(1.5).bitPattern) }
        file.entry("a.bool") { $0.scalar(7, UInt8(1)) }
        file.entry("a.uint64") { $0.scalar(10, UInt64.max) }
        file.entry("a.int64") { $0.scalar(11, Int64.min) }
        file.entry("a.float64") { $0.scalar(12, Double.pi.bitPattern) }
    }

    private static func arrays() -> SeedFile {
        var file = SeedFile()
        file.entry("b.uint8") { $0.array(0, count: 3) { for value in 1...3 { $0.append(UInt8(value)) } } }
        file.entry("b.int8") { $0.array(1, count: 2) { for value in -1...0 { $0.append(Int8(value)) } } }
        file.entry("b.uint16") { $0.array(2, count: 2) { for value in 1...2 { $0.append(UInt16(value)) } } }
        file.entry("b.int16") { $0.array(3, count: 2) { for value in 1...2 { $0.append(Int16(value)) } } }
        file.entry("b.uint32") { $0.array(4, count: 4) { for value in 1...4 { $0.append(UInt32(value)) } } }
        file.entry("b.int32") { $0.array(5, count: 4) { for value in 1...4 { $0.append(Int32(-value)) } } }
        file.entry("b.float32") { $0.array(6, count: 2) { for value in 1...2 { $0.append(Float(value).bitPattern) } } }
        file.entry("b.bool") { $0.array(7, count: 2) { for value in 0...1 { $0.append(UInt8(value)) } } }
        file.entry("b.uint64") { $0.array(10, count: 1) { $0.append(UInt64(1) << 60) } }
        file.entry("b.int64") { $0.array(11, count: 1) { $0.append(Int64(-1)) } }
        file.entry("b.float64") { $0.array(12, count: 1) { $0.append(Double(0.25).bitPattern) } }
        file.entry("b.empty") { $0.array(8, count: 0) { _ in } }
        return file
    }

    private static func nested(depth: Int) -> SeedFile {
        func level(_ depth: Int, _ file: inout SeedFile, outermost: Bool) {
            if depth == 1 {
                file.array(4, count: 2, nested: !outermost) { for value in 1...2 { $0.append(UInt32(value)) } }
            } else {
                file.array(9, count: 2, nested: !outermost) { file in
                    level(depth - 1, &file, outermost: false)
                    file.array(8, count: 1, nested: true) { $0.append("leaf") }
                }
            }
        }
        var file = SeedFile()
        file.entry("nested") { level(depth, &$0, outermost: true) }
        return file
    }

    private static func strings() -> SeedFile {
        var file = SeedFile()
        file.entry("tokenizer.ggml.tokens") {
            $0.array(8, count: 6) { file in
                for token in ["<s>", "", "ä", "\u{1F600}", "Ġhello"] { file.append(token) }
                file.append([0xFF, 0x80, 0x00])
            }
        }
        file.entry("tokenizer.ggml.merges") {
            $0.array(8, count: 2) { for merge in ["a b", "c d"] { $0.append(merge) } }
        }
        file.entry("tokenizer.chat_template") { $0.string("{{ messages }}\n") }
        return file
    }

    private static func matrices() -> SeedFile {
        var file = SeedFile()
        file.tensor("one", [5], type: 0, offset: 0)
        file.tensor("two", [4, 2], type: 0, offset: 32)
        file.tensor("three", [2, 2, 2], type: 0, offset: 64)
        file.tensor("four", [1, 2, 1, 3], type: 0, offset: 96)
        file.data(120)
        return file
    }

    /// A tensor of two blocks in every format.
    private static func quantized() -> SeedFile {
        var file = SeedFile()
        var offset = 0
        for format in Format.all {
            file.tensor("\(format)", [UInt64(2 * format.blockLength)], type: format.id, offset: UInt64(offset))
            offset = (offset + 2 * format.blockBytes + 31) / 32 * 32
        }
        file.data(offset)
        return file
    }

    private static func alignment(_ alignment: UInt32) -> SeedFile {
        var file = SeedFile()
        file.entry("general.alignment") { $0.scalar(4, alignment) }
        file.tensor("a", [1], type: 0, offset: 0)
        file.tensor("b", [1], type: 0, offset: UInt64(alignment))
        file.data(Int(alignment) + 4, alignment: Int(alignment))
        return file
    }

    private static func mixed(version: UInt32) -> SeedFile {
        var file = scalars(version: version)
        file.entry("llama.rope.scaling") { $0.array(6, count: 1) { $0.append(Float(8).bitPattern) } }
        file.entry("tokens") { $0.array(8, count: 2) { for token in ["a", "bc"] { $0.append(token) } } }
        file.tensor("token_embd.weight", [32, 2], type: 8, offset: 0)
        file.tensor("output_norm.weight", [8], type: 0, offset: 96)
        file.data(128)
        return file
    }

    private static func shard(_ number: Int, of count: Int) -> SeedFile {
        var file = SeedFile()
        if number == 0 { file.entry("general.architecture") { $0.string("llama") } }
        file.entry("split.no") { $0.scalar(2, UInt16(number)) }
        file.entry("split.count") { $0.scalar(2, UInt16(count)) }
        file.entry("split.tensors.count") { $0.scalar(5, Int32(count)) }
        file.tensor("blk.\(number).weight", [4], type: 0, offset: 0)
        file.data(16)
        return file
    }
}

import CFormats
import Compute
import Quant
import TestSupport
import Testing
import XPU

/// What must be right to the bit: unpacked weights, and sums in the order that the kernels promise.
@Suite(.serialized) struct ExactTests {
    static let computed = Format.all.filter { $0.groups != nil || [.f16, .bf16, .f32].contains($0) }
    /// Without those that a matrix engine sums in an order of its own.
    static let ordered = computed.filter { ![.f16, .bf16].contains($0) }

    @Test func `a promised device is there`() {
        #expect(!TestDevice.isPromised || TestDevice.backend != nil)
    }

    @Test(arguments: computed)
    func `every format is unpacked exactly`(format: Format) throws {
        guard let backend = TestDevice.backend else { return }
        let (rows, columns) = (37, max(96, format.blockLength * 2))
        let tensors = RandomTensors()
        tensors.random("table.weight", format, [columns, rows], seed: 11)
        var g = ProgramBuilder(tensors)
        let x = g.outputRows(g.embed("table", vocabulary: rows, width: columns))
        let program = try g.finish(logits: x, cache: CacheLayout(layers: []))
        let logits = try backend.run(program, tensors, tokens: (0..<rows).map { Int32($0) })
        let expected = tensors.values("table.weight")
        let wrong = logits.joined().enumerated().filter { index, value in
            value.bitPattern != expected[index].bitPattern && !(value == 0 && expected[index] == 0)
        }
        #expect(wrong.count == 0, "\(format): first at \(wrong.first?.offset ?? -1)")
    }

    /// Sums of one, of two and of sixteen splits; outputs that fill no tile; as many rows as a tile of rows, fewer and more.
    @Test(arguments: ordered, [(1, 1), (3, 2), (9, 4), (16, 16)])
    func `every product sums in the promised order`(format: Format, shape: (rows: Int, blocks: Int)) throws {
        guard let backend = TestDevice.backend else { return }
        let columns = max(format.blockLength, 32) * shape.blocks
        let outputs = 35
        let tensors = RandomTensors()
        var generator = SplitMix64(state: 5)
        tensors.add(
            "x.weight", .f32, [columns, shape.rows], bytes((0..<columns * shape.rows).map { _ in generator.normal() }))
        if format.groups == nil {
            // Random bits of floats overflow in sums.
            let values = (0..<columns * outputs).map { _ in generator.normal() }
            var encoded = [UInt8](repeating: 0, count: values.count * format.blockBytes)
            var span = encoded.mutableSpan
            try format.encode(values.span, into: &span)
            tensors.add("w.weight", format, [columns, outputs], encoded)
        } else {
            tensors.random("w.weight", format, [columns, outputs], seed: 12)
        }
        tensors.add("w.bias", .f32, [outputs], bytes((0..<outputs).map { _ in generator.normal() }))
        var g = ProgramBuilder(tensors)
        let x = g.embed("x", vocabulary: shape.rows, width: columns)
        let program = try g.finish(
            logits: g.outputRows(g.linear(x, "w", outputs: outputs)), cache: CacheLayout(layers: []))
        let logits = try backend.run(program, tensors, tokens: (0..<shape.rows).map { Int32($0) })
        let product = Product(tensors, format, columns: columns, outputs: outputs)
        for row in 0..<shape.rows {
            let expected = product.row(row)
            let same = zip(logits[row], expected).allSatisfy { $0.bitPattern == $1.bitPattern || $0.isNaN && $1.isNaN }
            #expect(same, "\(format), \(columns) columns, row \(row): \(logits[row].prefix(3)) \(expected.prefix(3))")
        }
    }

    /// Rows of all sizes, also beyond half precision; columns that fill no step, and several splits. Row by row the same bits as together.
    @Test(arguments: [Format.f16, .bf16], [16, 52, 101, 2048])
    func `16-bit floats lose nothing of the activations`(format: Format, columns: Int) throws {
        guard let backend = TestDevice.backend else { return }
        let sizes: [Float] = [1, 1e-9, 1e6, 0, 3e-4, 70000, 1e20, 1e-30, 17]
        let outputs = 35
        let tensors = RandomTensors()
        var generator = SplitMix64(state: 8)
        let x = sizes.flatMap { size in (0..<columns).map { _ in size * generator.normal() } }
        tensors.add("x.weight", .f32, [columns, sizes.count], bytes(x))
        let values = (0..<columns * outputs).map { _ in generator.normal() }
        var encoded = [UInt8](repeating: 0, count: values.count * format.blockBytes)
        var span = encoded.mutableSpan
        try format.encode(values.span, into: &span)
        tensors.add("w.weight", format, [columns, outputs], encoded)
        let weights = tensors.values("w.weight")
        var g = ProgramBuilder(tensors)
        let y = g.linear(g.embed("x", vocabulary: sizes.count, width: columns), "w", outputs: outputs)
        let program = try g.finish(logits: g.outputRows(y), cache: CacheLayout(layers: []))
        let logits = try backend.run(program, tensors, tokens: sizes.indices.map { Int32($0) })
        for row in sizes.indices {
            for output in 0..<outputs {
                var (exact, size) = (0.0, 0.0)
                for k in 0..<columns {
                    let product = Double(weights[output * columns + k]) * Double(x[row * columns + k])
                    exact += product
                    size += abs(product)
                }
                let error = abs(Double(logits[row][output]) - exact)
                #expect(error <= 1e-6 * size, "row \(row), output \(output): \(logits[row][output]), not \(exact)")
            }
            let alone = try backend.run(program, tensors, tokens: [Int32(row)])[0]
            #expect(alone.map(\.bitPattern) == logits[row].map(\.bitPattern), "row \(row) alone")
        }
    }

    /// One norm prepares its rows for the first; the others need scales of other columns, or floats.
    @Test(arguments: [[Format.q4_k, .q8_0, .f32], [.q4_0, .q6_k, .q4_k], [.f16, .q5_k, .q4_1]])
    func `weights of all kinds share an input`(formats: [Format]) throws {
        guard let backend = TestDevice.backend else { return }
        let (rows, columns, outputs) = (9, 512, 35)
        let tensors = RandomTensors()
        var generator = SplitMix64(state: 6)
        tensors.add("x.weight", .f32, [columns, rows], bytes((0..<columns * rows).map { _ in generator.normal() }))
        tensors.add("n.weight", .f32, [columns], bytes((0..<columns).map { _ in 1 + generator.normal() / 8 }))
        for (index, format) in formats.enumerated() {
            let values = (0..<columns * outputs).map { _ in generator.normal() }
            var encoded = [UInt8](repeating: 0, count: format.byteCount(of: values.count) ?? 0)
            var span = encoded.mutableSpan
            try format.encode(values.span, into: &span)
            tensors.add("w\(index).weight", format, [columns, outputs], encoded)
        }
        func logits(of indices: [Int]) throws -> [[Float]] {
            var g = ProgramBuilder(tensors)
            let h = g.norm(g.embed("x", vocabulary: rows, width: columns), "n", epsilon: 1e-5)
            let products = indices.map { g.linear(h, "w\($0)", outputs: outputs) }
            let sum = products.dropFirst().reduce(products[0]) { g.add($0, $1) }
            let program = try g.finish(logits: g.outputRows(sum), cache: CacheLayout(layers: [])).fusingSharedInput()
            return try backend.run(program, tensors, tokens: (0..<rows).map { Int32($0) })
        }
        let apart = try formats.indices.map { try logits(of: [$0]) }
        let together = try logits(of: Array(formats.indices))
        for row in 0..<rows {
            for output in 0..<outputs {
                let expected = apart[0][row][output] + apart[1][row][output] + apart[2][row][output]
                #expect(together[row][output] == expected, "row \(row), output \(output)")
            }
        }
    }

    private func bytes(_ values: [Float]) -> [UInt8] {
        values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } }
    }
}

/// The arithmetic that kernels/linear.cl promises, written out.
private struct Product {
    let format: Format
    let columns: Int
    let outputs: Int
    let x: [Float]
    let bias: [Float]
    /// Decoded weights, or codes, scales and minimums of groups.
    let weights: [Float]
    let codes: [Int32]
    let scales: [Float]
    let minimums: [Float]
    /// Where groups have integer factors, those of each block that they are multiplied with.
    let superFactors: [(scale: Float, minimum: Float)]

    init(_ tensors: RandomTensors, _ format: Format, columns: Int, outputs: Int) {
        self.format = format
        self.columns = columns
        self.outputs = outputs
        x = tensors.values("x.weight")
        bias = tensors.values("w.bias")
        weights = tensors.values("w.weight")
        (codes, scales, minimums) =
            format.groups == nil ? ([], [], []) : format.unpacked(tensors.bytes("w.weight"))
        superFactors = format.superFactors(tensors.bytes("w.weight"))
    }

    func row(_ row: Int) -> [Float] {
        let input = Array(x[row * columns..<(row + 1) * columns])
        let splits = SplitTable.splits(rows: outputs, columns: columns)
        return (0..<outputs).map { output in
            let items = format.groups == nil ? columns : columns / 32
            let partial = (0..<splits).map { split in
                sum(input, output, items * split / splits..<items * (split + 1) / splits)
            }
            return partial.dropFirst().reduce(partial[0], +) + bias[output]
        }
    }

    private func sum(_ input: [Float], _ output: Int, _ items: Range<Int>) -> Float {
        var acc: Float = 0
        guard let groups = format.groups else {
            for k in items { acc = acc.addingProduct(weights[output * columns + k], input[k]) }
            return acc
        }
        let sharing = format.activationColumns ?? 32
        // Integers of the super-block under way: scales times products, minimums times sums.
        var (products, sums) = (0, 0)
        for part in items {
            let values = input[part * 32..<(part + 1) * 32]
            let first = part * 32 / sharing * sharing
            let d = (input[first..<first + sharing].map(abs).max() ?? 0) / 127
            let rounded = values.map { Int32(($0 * (1 / d)).rounded(.toNearestOrEven)) }
            for first in stride(from: 0, to: 32, by: groups.length) {
                let base = output * columns + part * 32 + first
                let group = base / groups.length
                var dot: Int32 = 0
                var total: Int32 = 0
                for i in 0..<groups.length {
                    dot += codes[base + i] * rounded[first + i]
                    total += rounded[first + i]
                }
                guard superFactors.isEmpty else {
                    let factors = superFactors[base / 256]
                    products += factors.scale == 0 ? 0 : Int(scales[group] / factors.scale) * Int(dot)
                    if groups.hasMinimum, factors.minimum != 0 {
                        sums += Int(minimums[group] / factors.minimum) * Int(total)
                    }
                    continue
                }
                acc = acc.addingProduct(Float(dot), scales[group] * d)
                if groups.hasMinimum { acc = acc.addingProduct(-minimums[group], d * Float(total)) }
            }
            if !superFactors.isEmpty, part % 8 == 7 || part + 1 == items.upperBound {
                let factors = superFactors[(output * columns + part * 32) / 256]
                acc = acc.addingProduct(Float(products), factors.scale * d)
                if groups.hasMinimum { acc = acc.addingProduct(-Float(sums), factors.minimum * d) }
                (products, sums) = (0, 0)
            }
        }
        return acc
    }
}

extension Format {
    /// Of each block, in formats whose layout keeps the integer factors of groups.
    fileprivate func superFactors(_ bytes: [UInt8]) -> [(scale: Float, minimum: Float)] {
        let places: [Format: (scale: Int, minimum: Int?)] = [
            .q4_k: (0, 2), .q5_k: (0, 2), .q6_k: (208, nil), .iq4_xs: (0, nil),
        ]
        guard let place = places[self] else { return [] }
        return stride(from: 0, to: bytes.count, by: blockBytes).map { block in
            func half(_ at: Int) -> Float {
                Float(Float16(bitPattern: UInt16(bytes[block + at]) | UInt16(bytes[block + at + 1]) << 8))
            }
            return (half(place.scale), place.minimum.map(half) ?? 0)
        }
    }

    /// Codes of all weights, scales and minimums of all groups.
    fileprivate func unpacked(_ bytes: [UInt8]) -> (codes: [Int32], scales: [Float], minimums: [Float]) {
        var result: (codes: [Int32], scales: [Float], minimums: [Float]) = ([], [], [])
        guard let groups, let info = unsafe format_with_id(id) else { return result }
        var codes = [Int8](repeating: 0, count: blockLength)
        var scales = [Float](repeating: 0, count: blockLength / groups.length)
        var minimums = scales
        for first in stride(from: 0, to: bytes.count, by: blockBytes) {
            unsafe info.pointee.unpack(Array(bytes[first..<first + blockBytes]), &codes, &scales, &minimums)
            result.codes += codes.map(Int32.init)
            result.scales += scales
            result.minimums += minimums
        }
        return result
    }
}

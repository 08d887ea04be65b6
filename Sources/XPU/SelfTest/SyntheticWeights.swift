internal import Compute
internal import Quant

/// Tensors made up for a test, the same on every run.
final class SyntheticWeights: WeightSource, TensorCatalog, @unchecked Sendable {
    private struct Tensor {
        let format: Format
        let dimensions: [Int]
        let bytes: Storage
    }

    private(set) var names: [String] = []
    private var tensors: [String: Tensor] = [:]
    private var state: UInt64 = 1

    /// A matrix of random codes and finite scales, or of floats around zero. Rows of a large one repeat.
    func matrix(_ name: String, _ format: Format, columns: Int, rows: Int, distinctRows: Int = 64) {
        let rowBytes = format.byteCount(of: columns) ?? 0
        let distinct = min(rows, distinctRows)
        var pattern: [UInt8] = []
        pattern.reserveCapacity(rowBytes * distinct)
        while pattern.count < rowBytes * distinct {
            let block = randomBlock(format)
            if isUsable(block, format) { pattern += block }
        }
        add(name, format, [columns, rows], pattern, repeatedTo: rowBytes * rows)
    }

    /// Rows of whole numbers from -127 to 127 that reach 127 in every 32, times 2^-7: eight bits hold them exactly.
    func exactRows(_ name: String, columns: Int, rows: Int) {
        var bytes: [UInt8] = []
        for index in 0..<columns * rows {
            let code = index % 32 == 5 ? 127 : Int(next() % 255) - 127
            append(Float(code) / 128, to: &bytes)
        }
        add(name, .f32, [columns, rows], bytes, repeatedTo: bytes.count)
    }

    /// Floats around a center, as a format holds them.
    func floats(
        _ name: String, _ dimensions: [Int], around center: Float = 0, size: Float = 1, as format: Format = .f32
    ) {
        let values = (0..<dimensions.reduce(1, *)).map { _ in
            center + size * (Float(next() >> 40) / Float(1 << 23) - 1)
        }
        var bytes = [UInt8](repeating: 0, count: format.byteCount(of: values.count) ?? 0)
        var span = bytes.mutableSpan
        do { try format.encode(values.span, into: &span) } catch {
            preconditionFailure("\(name) cannot be encoded: \(error)")
        }
        add(name, format, dimensions, bytes, repeatedTo: bytes.count)
    }

    /// What a tensor of F32 holds.
    func values(_ name: String) -> [Float] {
        guard let tensor = tensors[name] else { return [] }
        var values = [Float](repeating: 0, count: tensor.bytes.count / 4)
        var span = values.mutableSpan
        unsafe tensor.format.decode(
            UnsafeRawBufferPointer(start: tensor.bytes.base, count: tensor.bytes.count).bytes, into: &span)
        return values
    }

    func format(of name: String) -> Format? { tensors[name]?.format }
    func dimensions(of name: String) -> [Int]? { tensors[name]?.dimensions }
    func constants(_ name: String) -> [Float]? { nil }

    func read(_ name: String) throws(BackendError) -> WeightBytes {
        guard let tensor = tensors[name] else { throw .weights("tensor '\(name)' is missing") }
        return unsafe WeightBytes(
            base: UnsafeRawPointer(tensor.bytes.base), count: tensor.bytes.count, owner: tensor.bytes)
    }

    private func add(
        _ name: String, _ format: Format, _ dimensions: [Int], _ pattern: [UInt8], repeatedTo count: Int
    ) {
        names.append(name)
        tensors[name] = Tensor(format: format, dimensions: dimensions, bytes: Storage(pattern, repeatedTo: count))
    }

    private func randomBlock(_ format: Format) -> [UInt8] {
        if format.groups == nil {
            let value = (Float(next() >> 40) / Float(1 << 23) - 1)
            switch format.blockBytes {
            case 4: return bytes(of: value.bitPattern, 4)
            default:
                let bits = format == .bf16 ? value.bitPattern >> 16 : UInt32(Float16(value).bitPattern)
                return bytes(of: bits, 2)
            }
        }
        return (0..<format.blockBytes).map { _ in UInt8(truncatingIfNeeded: next() >> 32) }
    }

    /// Scales are finite, and no sum of some of the weights overflows.
    private func isUsable(_ block: [UInt8], _ format: Format) -> Bool {
        guard unsafe format.firstNonFiniteBlock(in: block.span.bytes) == nil else { return false }
        var values = [Float](repeating: 0, count: format.blockLength)
        var span = values.mutableSpan
        unsafe format.decode(block.span.bytes, into: &span)
        return values.allSatisfy { abs($0) < 1e9 }
    }

    private func append(_ value: Float, to bytes: inout [UInt8]) { bytes += self.bytes(of: value.bitPattern, 4) }

    private func bytes(of bits: UInt32, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
    }

    /// SplitMix64.
    private func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Bytes at a fixed address.
    @safe
    private final class Storage: @unchecked Sendable {
        let base: UnsafeMutableRawPointer
        let count: Int

        init(_ pattern: [UInt8], repeatedTo count: Int) {
            self.count = count
            unsafe base = .allocate(byteCount: max(count, 1), alignment: 64)
            unsafe pattern.withUnsafeBytes { pattern in
                guard let source = pattern.baseAddress else { return }
                for start in stride(from: 0, to: count, by: pattern.count) {
                    unsafe (base + start).copyMemory(from: source, byteCount: min(pattern.count, count - start))
                }
            }
        }

        deinit { unsafe base.deallocate() }
    }
}

import Compute
import Quant

/// A small generator of reproducible numbers (SplitMix64).
struct Random {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Uniform between -1 and 1.
    mutating func float() -> Float { Float(Int64(bitPattern: next()) >> 40) / Float(1 << 23) }

    mutating func index(below count: Int) -> Int { Int(next() % UInt64(count)) }
}

/// Random tensors by name, both as a program sees them while it is drawn and as a backend loads them.
final class TestWeights: WeightSource, TensorCatalog, @unchecked Sendable {
    private var tensors: [String: (format: Format, dimensions: [Int], bytes: [UInt8])] = [:]
    private(set) var names: [String] = []
    private var random = Random(seed: 7)

    /// A matrix, or a stack of them, of a size that keeps activations near one.
    func matrix(_ name: String, _ format: Format, _ dimensions: [Int], gain: Float = 1) throws {
        let size = gain * 1.7 / Float(dimensions[0]).squareRoot()
        try add(name + ".weight", format, dimensions) { $0.float() * size }
    }

    func vector(_ name: String, _ count: Int, around center: Float) throws {
        try add(name, .f32, [count]) { center + $0.float() * 0.2 }
    }

    /// Vectors side by side.
    func vectors(_ name: String, _ dimensions: [Int], around center: Float = 0) throws {
        try add(name, .f32, dimensions) { center + $0.float() * 0.2 }
    }

    private func add(
        _ name: String, _ format: Format, _ dimensions: [Int], _ value: (inout Random) -> Float
    ) throws {
        let count = dimensions.reduce(1, *)
        let floats = (0..<count).map { _ in value(&random) }
        var bytes = [UInt8](repeating: 0, count: format.byteCount(of: count) ?? 0)
        var span = bytes.mutableSpan
        try format.encode(floats.span, into: &span)
        tensors[name] = (format, dimensions, bytes)
        names.append(name)
    }

    func format(of name: String) -> Format? { tensors[name]?.format }
    func dimensions(of name: String) -> [Int]? { tensors[name]?.dimensions }
    func constants(_ name: String) -> [Float]? { nil }

    func read(_ name: String) throws(BackendError) -> WeightBytes {
        guard let tensor = tensors[name] else { throw .weights("no tensor \(name)") }
        let memory = Memory(tensor.bytes)
        return unsafe WeightBytes(base: memory.base, count: tensor.bytes.count, owner: memory)
    }

    @safe
    private final class Memory: @unchecked Sendable {
        let base: UnsafeMutableRawPointer

        init(_ bytes: [UInt8]) {
            unsafe base = .allocate(byteCount: bytes.count, alignment: 64)
            unsafe base.copyMemory(from: bytes, byteCount: bytes.count)
        }

        deinit { unsafe base.deallocate() }
    }
}

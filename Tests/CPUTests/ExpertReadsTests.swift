import CPU
import Compute
import Glibc
import Quant
import TestSupport
import Testing

/// Which experts' bytes a step reads, as the system sees it: pages of memory that were touched.
@Suite struct ExpertReadsTests {
    private static let (experts, used, width, vocabulary) = (8, 2, 512, 16)

    @Test(arguments: [Format.q8_0, .f32])
    func `a decode step reads the chosen experts and no others`(format: Format) throws {
        let weights = try MappedWeights(format, experts: Self.experts, width: Self.width, vocabulary: Self.vocabulary)
        let backend = CPUBackend(threads: 2, repack: false)
        let session = try Session(Self.program(weights), weights, on: backend, positions: 32)
        for token in 0..<Int32(Self.vocabulary) {
            let expected = weights.chosen(by: Int(token), used: Self.used)
            // Loading has read everything, to check it.
            weights.forget()
            _ = try session.step([.init(sequence: 0, position: 0, tokens: [token])])
            for name in ["gate", "up", "down"] {
                let touched = try weights.touchedExperts(of: name)
                #expect(touched == expected, "token \(token), \(name): \(touched.sorted()) \(expected.sorted())")
            }
        }
    }

    private static func program(_ weights: MappedWeights) throws -> Program {
        var g = ProgramBuilder(weights)
        let x = g.outputRows(g.embed("embd", vocabulary: vocabulary, width: width, scale: 1))
        let mixed = g.moe(
            x, router: g.linear(x, "router", outputs: experts), gate: "gate", up: "up", down: "down",
            experts: experts, used: used, hidden: width, routing: .softmaxNormalised, activation: .silu)
        return try g.finish(
            logits: g.linear(mixed, "output", outputs: vocabulary), cache: CacheLayout(layers: []))
    }
}

/// Random weights in memory whose pages can be dropped: from then on they are zeros, and there again once they were read.
@safe
private final class MappedWeights: WeightSource, TensorCatalog, @unchecked Sendable {
    @safe
    private struct Tensor {
        let format: Format
        let dimensions: [Int]
        let map: UnsafeMutableRawPointer
        let byteCount: Int
    }

    private var tensors: [String: Tensor] = [:]
    private(set) var names: [String] = []
    private let experts: Int
    private let width: Int

    init(_ format: Format, experts: Int, width: Int, vocabulary: Int) throws {
        self.experts = experts
        self.width = width
        try add("embd", .f32, [width, vocabulary])
        try add("router", .f32, [width, experts])
        try add("output", .f32, [width, vocabulary])
        for name in ["gate", "up", "down"] { try add(name, format, [width, width, experts]) }
    }

    deinit { for tensor in tensors.values { unsafe munmap(tensor.map, tensor.byteCount) } }

    private func add(_ name: String, _ format: Format, _ dimensions: [Int]) throws {
        let count = dimensions.reduce(1, *)
        var random = SplitMix64(state: UInt64(names.count))
        let bytes: [UInt8]
        if format == .f32 {
            bytes = (0..<count).flatMap { _ in
                let bits = (random.normal() / 32).bitPattern
                return (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
            }
        } else {
            bytes = format.randomBlocks(count / format.blockLength, seed: random.next())
        }
        guard
            let map = unsafe mmap(nil, bytes.count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            unsafe map != MAP_FAILED
        else { throw BackendError.outOfMemory(bytes.count) }
        unsafe madvise(map, bytes.count, MADV_NOHUGEPAGE)
        unsafe map.copyMemory(from: bytes, byteCount: bytes.count)
        unsafe tensors[name + ".weight"] = Tensor(
            format: format, dimensions: dimensions, map: map, byteCount: bytes.count)
        names.append(name + ".weight")
    }

    func format(of name: String) -> Format? { tensors[name]?.format }
    func dimensions(of name: String) -> [Int]? { tensors[name]?.dimensions }
    func constants(_ name: String) -> [Float]? { nil }

    func read(_ name: String) throws(BackendError) -> WeightBytes {
        guard let tensor = tensors[name] else { throw .weights("no tensor \(name)") }
        return unsafe WeightBytes(base: tensor.map, count: tensor.byteCount, owner: self)
    }

    private func row(_ name: String, _ index: Int) -> [Float] {
        guard let tensor = tensors[name + ".weight"] else { return [] }
        return (0..<width).map { unsafe tensor.map.load(fromByteOffset: (index * width + $0) * 4, as: Float.self) }
    }

    /// The experts that the router gives the highest scores.
    func chosen(by token: Int, used: Int) -> Set<Int> {
        let input = row("embd", token)
        let scores = (0..<experts).map { expert in zip(input, row("router", expert)).reduce(0) { $0 + $1.0 * $1.1 } }
        return Set(scores.indices.sorted { scores[$0] > scores[$1] }.prefix(used))
    }

    /// Drops the pages of all experts.
    func forget() {
        for name in ["gate", "up", "down"] {
            if let tensor = tensors[name + ".weight"] { unsafe madvise(tensor.map, tensor.byteCount, MADV_DONTNEED) }
        }
    }

    /// Experts of which a page is there again.
    func touchedExperts(of name: String) throws -> Set<Int> {
        let tensor = try #require(tensors[name + ".weight"])
        let pagemap = unsafe open("/proc/self/pagemap", O_RDONLY)
        try #require(pagemap >= 0, "/proc/self/pagemap cannot be read")
        defer { close(pagemap) }
        let page = 4096
        let expertBytes = tensor.byteCount / experts
        var touched: Set<Int> = []
        for expert in 0..<experts {
            for offset in stride(from: expert * expertBytes, to: (expert + 1) * expertBytes, by: page) {
                var entry: UInt64 = 0
                let place = unsafe (Int(bitPattern: tensor.map) + offset) / page * 8
                let count = unsafe pread(pagemap, &entry, 8, off_t(place))
                try #require(count == 8)
                if entry >> 63 == 1 { touched.insert(expert) }
            }
        }
        return touched
    }
}

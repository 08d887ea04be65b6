import Compute
import Glibc
import Quant
import Testing
import TestSupport
import XPU

/// The device that these tests run on: the software device under `scripts/soft-xpu`, or a GPU.
enum TestDevice {
    static var backend: XPUBackend? { opened.value }

    private static let opened = UntilExit<XPUBackend> {
        do { return try XPUBackend() } catch {
            print("the XPU's kernels are not checked here: \(error)")
            return nil
        }
    }

    /// Set by scripts that run the tests on a device.
    static let isPromised = unsafe getenv("TGI_RUN_TEST_XPU") != nil
}

/// Tensors of random blocks.
final class RandomTensors: WeightSource, TensorCatalog, @unchecked Sendable {
    private(set) var names: [String] = []
    private var tensors: [String: (format: Format, dimensions: [Int], bytes: [UInt8])] = [:]

    func add(_ name: String, _ format: Format, _ dimensions: [Int], _ bytes: [UInt8]) {
        names.append(name)
        tensors[name] = (format, dimensions, bytes)
    }

    func random(_ name: String, _ format: Format, _ dimensions: [Int], seed: UInt64) {
        let blocks = dimensions.reduce(1, *) / format.blockLength
        add(name, format, dimensions, format.randomBlocks(blocks, seed: seed))
    }

    func values(_ name: String) -> [Float] {
        guard let tensor = tensors[name] else { return [] }
        return tensor.format.decoded(tensor.bytes)
    }

    func bytes(_ name: String) -> [UInt8] { tensors[name]?.bytes ?? [] }
    func format(of name: String) -> Format? { tensors[name]?.format }
    func dimensions(of name: String) -> [Int]? { tensors[name]?.dimensions }
    func constants(_ name: String) -> [Float]? { nil }

    func read(_ name: String) throws(BackendError) -> WeightBytes {
        guard let tensor = tensors[name] else { throw .weights("no tensor \(name)") }
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, tensor.bytes.count), alignment: 64)
        unsafe copy.copyBytes(from: tensor.bytes)
        return unsafe WeightBytes(
            base: UnsafeRawPointer(copy.baseAddress!), count: tensor.bytes.count, owner: Owner(memory: copy))
    }

    @safe
    private final class Owner: @unchecked Sendable {
        let memory: UnsafeMutableRawBufferPointer
        init(memory: UnsafeMutableRawBufferPointer) { unsafe self.memory = memory }
        deinit { unsafe memory.deallocate() }
    }
}

extension XPUBackend {
    /// One step of `tokens`, all logits wanted.
    func run(
        _ program: Program, _ tensors: RandomTensors, tokens: [Int32], kv: Format = .f16
    ) throws -> [[Float]] {
        let blocks = (tokens.count + 31) / 32
        let weights = try load(tensors, for: program, progress: { _ in })
        let executable = try compile(
            program, weights: weights, cache: KVCacheConfiguration(format: kv, blockCount: blocks),
            limits: StepLimits(rows: tokens.count, sequences: 1, outputRows: tokens.count))
        var inputs = StepInputs()
        inputs.tokens = tokens
        inputs.sequences = [.init(firstRow: 0, rowCount: tokens.count, firstPosition: 0, blockTable: 0)]
        inputs.blockTables = (0..<blocks).map { Int32($0) }
        inputs.outputRows = tokens.indices.map { Int32($0) }
        var outputs = try StepOutputs(rows: tokens.count, vocabulary: program.vocabularySize)
        try executable.run(inputs, into: &outputs)
        return tokens.indices.map { row in
            outputs.withLogits(row: row) { logits in logits.indices.map { logits[$0] } }
        }
    }
}

import CPU
import Compute
import Engine
import Foundation
import GGUF
import Models
import Quant
import TestSupport
import Testing
import Tokenizer

/// The example model with a window in all layers but one.
enum WindowedStories {
    private static let lock = NSLock()
    private nonisolated(unsafe) static var paths: [Int: String] = [:]
    /// Gone when the tests end.
    private static let folder: String = {
        let folder = FileManager.default.temporaryDirectory.path + "/windowed-stories-" + UUID().uuidString
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        atexit { try? FileManager.default.removeItem(atPath: WindowedStories.folder) }
        return folder
    }()

    static func path(window: Int) throws -> String {
        lock.lock()
        defer { lock.unlock() }
        if let path = unsafe paths[window] { return path }
        let source = try GGUFFile.open(ExampleModel.path)
        let path = "\(folder)/window-\(window).gguf"
        let layers = try Model(source).layerCount
        let metadata = Metadata(
            source.metadata.entries.map { ($0.key, $0.value) } + [
                ("llama.attention.sliding_window", .uint32(UInt32(window))),
                ("llama.attention.sliding_window_pattern", .array(.bool((0..<layers).map { $0 != 1 }))),
            ])
        let writer = try GGUFWriter(
            path: path, metadata: metadata, tensors: source.tensors.map { TensorDeclaration($0) })
        for (index, tensor) in source.tensors.enumerated() {
            try unsafe source.read(tensor).withUnsafeBytes { try unsafe writer.append($0.bytes, to: index) }
        }
        try writer.finish()
        unsafe paths[window] = path
        return path
    }
}

/// Windowed layers keep only what is in reach.
@Suite struct WindowTests {
    private static let window = 40

    private func runtime(_ contextLength: Int, sequences: Int = 1, stepRows: Int = 48) throws -> Runtime {
        let model = try Model(path: WindowedStories.path(window: Self.window))
        var configuration = Runtime.Configuration(contextLength: contextLength, kvFormat: .f16)
        configuration.sequences = sequences
        configuration.stepRows = stepRows
        configuration.outputRows = stepRows
        return try Runtime(
            model, try Tokenizer(model.file.metadata), on: CPUBackend(threads: 2), configuration)
    }

    private func logits(_ runtime: Runtime, _ row: Int) -> [UInt32] {
        runtime.withLogits(row) { logits in logits.indices.map { logits[$0].bitPattern } }
    }

    @Test func `Logits are those of a cache that keeps everything`() throws {
        let runtime = try runtime(256, sequences: 2)
        let tokens = (0..<200).map { TokenID(($0 * 37 + 11) % 200 + 10) }
        let whole = try Session(
            runtime.model.program, runtime.model.weights, on: CPUBackend(threads: 2), kv: .f16, positions: 256)
        let expected = try whole.run(tokens, chunks: [48, 1, 30])
        var last: [[UInt32]] = []
        var position = 0
        for count in [48, 1, 1, 30, 48, 7, 1, 33, 31] {
            let part = tokens[position..<position + count]
            try runtime.step([
                .init(sequence: 1, tokens: part.prefix(0) + [5], position: position / 8, outputs: 0),
                .init(sequence: 0, tokens: part.prefix(47), position: position, outputs: min(count, 47)),
            ])
            for row in 0..<min(count, 47) { last.append(logits(runtime, row)) }
            if count > 47 {
                try runtime.step([.init(sequence: 0, tokens: part.suffix(1), position: position + 47, outputs: 1)])
                last.append(logits(runtime, 0))
            }
            position += count
        }
        #expect(position == tokens.count && last.count == tokens.count)
        #expect(last == expected.map { $0.map(\.bitPattern) })
    }

    @Test func `A windowed layer's cache does not grow with the context`() throws {
        let layout = try Model(path: WindowedStories.path(window: Self.window)).program.cache
        func bytes(_ context: Int, sequences: Int = 1) -> Int {
            var configuration = Runtime.Configuration(contextLength: context, kvFormat: .f16)
            configuration.sequences = sequences
            configuration.stepRows = 64
            return layout.byteCount(configuration.cache(layout))
        }
        let wide = layout.layers.filter { $0.reach == nil }.reduce(0) { $0 + $1.bytesPerPosition(.f16) }
        let all = layout.layers.reduce(0) { $0 + $1.bytesPerPosition(.f16) }
        // While everything is in reach, every layer keeps everything; one block is for trials.
        #expect(bytes(64) == all * 96)
        #expect(bytes(4096) - bytes(2048) == wide * 2048)
        #expect(bytes(4096, sequences: 4) - bytes(2048, sequences: 4) == wide * 4 * 2048)
        #expect(bytes(4096) < all * 4096 / 3)
    }
}

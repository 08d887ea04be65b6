import Compute
import Engine
import GGUF
import Models
import Quant
import TestSupport
import Testing
import Tokenizer
import XPU

/// Heads of rows of logits: the kernels beside the reference, and whole generations with and without them.
@Suite(.serialized) struct HeadTests {
    private enum Shape: CaseIterable { case normal, peaked, tied, flat, holes, none, infinite }

    private static func row(_ shape: Shape, _ count: Int, _ generator: inout SplitMix64) -> [Float] {
        var row = (0..<count).map { id -> Float in
            let x = generator.normal()
            return switch shape {
            case .normal, .infinite: x
            case .peaked: x * 4
            case .tied: (x * 2).rounded() / 2
            case .flat: 0.25
            case .holes: [x, .nan, -.infinity, 0, -0.0][id % 5]
            case .none: id.isMultiple(of: 2) ? .nan : -.infinity
            }
        }
        if shape == .infinite { row[count / 3] = .infinity }
        return row
    }

    /// A program that gives rows of logits as they are, and what they are exactly. Weights have to be numbers: the sum of two that are
    /// scaled too far is none.
    private static func logits(_ rows: [[Float]]) throws -> (Program, RandomTensors, [[Float]]) {
        func parts(_ x: Float) -> (Float, Float) {
            if x.isNaN { return (3e38, -3e38) }
            return x.isFinite ? (x, 0) : (x < 0 ? -3e38 : 3e38, 0)
        }
        let pairs = rows.map { $0.map(parts) }
        let tensors = RandomTensors()
        func add(_ name: String, _ values: [Float]) {
            let bytes = values.flatMap { value in
                (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
            }
            tensors.add("\(name).weight", .f32, [rows[0].count, rows.count], bytes)
        }
        add("left", pairs.joined().map(\.0))
        add("right", pairs.joined().map(\.1))
        var g = ProgramBuilder(tensors)
        let left = g.scale(g.embed("left", vocabulary: rows.count, width: rows[0].count), 10)
        let right = g.scale(g.embed("right", vocabulary: rows.count, width: rows[0].count), 10)
        let program = try g.finish(logits: g.outputRows(g.add(left, right)), cache: CacheLayout(layers: []))
        return (program, tensors, pairs.map { $0.map { 10 * $0.0 + 10 * $0.1 } })
    }

    @Test(arguments: [151_936, 32_000, 5003, 512, 40])
    func `heads and processed rows are the reference's to the bit`(vocabulary: Int) throws {
        guard TestDevice.backend != nil else { return }
        var generator = SplitMix64(state: 3)
        let (program, tensors, rows) = try Self.logits(Shape.allCases.map { Self.row($0, vocabulary, &generator) })
        let backend = try XPUBackend(heads: .always)
        let limits = StepLimits(rows: 8, sequences: 8, outputRows: 8)
        let executable = try backend.compile(
            program, weights: try backend.load(tensors, for: program, progress: { _ in }),
            cache: KVCacheConfiguration(format: .f16, blockCount: 8), limits: limits)

        var inputs = StepInputs()
        for row in rows.indices {
            inputs.append([Int32(row)], position: 0, outputs: 1)
            inputs.blockTables.append(Int32(row))
            var request = HeadRequest()
            // The fourth row is wanted itself.
            request.isWanted = row != 3
            request.temperature = [1, 0.7, 1.3, 1, 0.01, 3, 0.5][row]
            request.repetition = [1, 1.1, 0.7, 1, 1.3, 2, 1.2][row]
            request.firstChange = inputs.logitChanges.count
            if row > 0, request.isWanted {
                let step = max(1, vocabulary / 150)
                for id in stride(from: row, to: vocabulary, by: step) {
                    inputs.logitChanges.append(.init(id: Int32(id), amount: generator.normal()))
                }
                request.penalized = inputs.logitChanges.count - request.firstChange
                inputs.logitChanges.append(.init(id: Int32(row), amount: 5))
                inputs.logitChanges.append(.init(id: Int32(vocabulary - 1), amount: -100))
                request.biased = 2
            }
            inputs.heads.append(request)
        }
        var outputs = try StepOutputs(rows: 8, vocabulary: vocabulary)
        // The second time the list is replayed.
        for _ in 0..<2 {
            try executable.run(inputs, into: &outputs)
            for (row, raw) in rows.enumerated() {
                let request = inputs.heads[row]
                #expect(outputs[row] == RowDelivery(isProcessed: request.isWanted, hasRow: false))
                var processed = raw
                var words = [UInt32](repeating: 0, count: HeadLayout(vocabulary: vocabulary).words)
                if request.isWanted {
                    var span = processed.mutableSpan
                    var wordSpan = words.mutableSpan
                    ReferenceHead.compute(request, inputs.logitChanges.span, &span, into: &wordSpan)
                    let found = unsafe Array(outputs.headBuffer(row: row))
                    #expect(Self.same(found, words, vocabulary), "\(Shape.allCases[row])")
                }
                if request.isWanted {
                    for block in Set([0, vocabulary / 2, vocabulary - 1].map { $0 / HeadLayout.blockLength }) {
                        try executable.fetch(row, block: block, into: &outputs)
                        let tokens = StepOutputs.tokens(of: block, vocabulary: vocabulary)
                        let fetched = outputs.withBlock(block, row: row) { found in
                            found.logits.indices.map { found.logits[$0] }
                        }
                        #expect(Self.agree(fetched, processed[tokens]), "\(Shape.allCases[row])")
                    }
                }
                try executable.fetch(row, into: &outputs)
                let fetched = outputs.withLogits(row: row) { logits in logits.indices.map { logits[$0] } }
                #expect(Self.agree(fetched, processed[...]), "\(Shape.allCases[row])")
            }
        }
    }

    private static func agree(_ a: [Float], _ b: ArraySlice<Float>) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN }
    }

    /// Compares what heads say. Sums under a maximum that is no number mean nothing.
    private static func same(_ a: [UInt32], _ b: [UInt32], _ vocabulary: Int) -> Bool {
        let (count, maximum) = (Int(b[HeadLayout.count]), Float(bitPattern: b[HeadLayout.maximum]))
        func floats(_ words: [UInt32], _ first: Int, _ count: Int) -> [Float] {
            words[first..<first + count].map { Float(bitPattern: $0) }
        }
        func agree(_ first: Int, _ count: Int) -> Bool { floats(a, first, count) == floats(b, first, count) }
        guard agree(HeadLayout.maximum, 1), agree(HeadLayout.threshold, 1) else { return false }
        let overflows = count > HeadLayout.capacity
        guard overflows ? Int(a[HeadLayout.count]) > HeadLayout.capacity : Int(a[HeadLayout.count]) == count else {
            return false
        }
        if !overflows {
            let ids = HeadLayout.ids..<HeadLayout.ids + count
            guard a[ids] == b[ids], agree(HeadLayout.logits, count) else { return false }
        }
        return !maximum.isFinite || agree(HeadLayout.blockSums, HeadLayout(vocabulary: vocabulary).blocks)
    }

    @Test func `a token of a large vocabulary costs the bus a head`() throws {
        guard TestDevice.backend != nil else { return }
        var generator = SplitMix64(state: 4)
        let (program, tensors, _) = try Self.logits([Self.row(.peaked, 128_256, &generator)])
        var costs: [Int] = []
        for use in [HeadUse.never, .automatic] {
            let backend = try XPUBackend(heads: use)
            let executable = try backend.compile(
                program, weights: try backend.load(tensors, for: program, progress: { _ in }),
                cache: KVCacheConfiguration(format: .f16, blockCount: 2),
                limits: StepLimits(rows: 1, sequences: 1, outputRows: 1))
            var inputs = StepInputs()
            inputs.append([0], position: 0, outputs: 1)
            inputs.blockTables.append(0)
            var request = HeadRequest()
            request.isWanted = executable.givesHeads
            inputs.heads.append(request)
            var outputs = try StepOutputs(rows: 1, vocabulary: program.vocabularySize)
            try executable.run(inputs, into: &outputs)
            costs.append(executable.lastStepCost?.bytesToHost ?? 0)
        }
        #expect(costs == [513_024, 6144], "bytes: \(costs)")
    }

    /// Keeps what a request brings.
    private final class Sink: GenerationSink {
        var tokens: [GeneratedToken] = []
        var prompt: [PromptToken] = []
        var top: [[GeneratedToken]] = []
        var error: EngineError?
        let isFull = false

        func send(_ event: StreamEvent) {
            switch event {
            case .admitted: break
            case .prompt(let tokens): prompt = tokens
            case .token(let event):
                tokens.append(event.token)
                top.append(event.topTokens)
            }
        }
        func finish(throwing error: EngineError?) { self.error = error }
    }

    @Test func `generations are the same with heads and without, alone and in company`() throws {
        guard TestDevice.backend != nil else { return }
        let model = try Model(path: ExampleModel.path)
        let tokenizer = try Tokenizer(model.file.metadata)
        let text = "Once upon a time there was a dog and a dog and a cat."
        let prompt = tokenizer.encode(text, addSpecial: true, parseSpecial: true)
        let requests = (0..<9).map { index in
            var request = GenerationRequest(prompt: Array(prompt.prefix(prompt.count - index)))
            request.maxNewTokens = 24
            request.ignoreEndOfGeneration = true
            request.wantsLogprobs = true
            request.topTokens = index % 3
            request.wantsPromptLogprobs = index == 4
            request.sampling.seed = UInt64(index)
            switch index {
            case 1: (request.sampling.temperature, request.sampling.topP) = (0.8, 0.9)
            case 2: request.sampling.repetitionPenalty = 1.3
            case 3: (request.sampling.topK, request.sampling.frequencyPenalty) = (10, 0.5)
            case 5: request.sampling.typicalP = 0.9
            case 6: request.sampling.doSample = true
            case 7: request.sampling.logitBias = [Int32(model.vocabularySize - 1): 2]
            case 8: request.sampling.minP = 0.1
            default: break
            }
            return request
        }

        func answers(_ use: HeadUse, together: Bool) throws -> (sinks: [Sink], bytes: Int) {
            var configuration = Runtime.Configuration(contextLength: 128, kvFormat: .f16)
            configuration.sequences = 12
            let runtime = try Runtime(model, tokenizer, on: XPUBackend(heads: use), configuration)
            var options = Batch.Options()
            options.speculation = 2
            let batch = Batch(runtime, options)
            var sinks: [Sink] = []
            var bytes = 0
            func run() throws {
                while try batch.step() != nil { bytes += runtime.lastStepCost?.bytesToHost ?? 0 }
            }
            for (index, request) in requests.enumerated() {
                sinks.append(Sink())
                try batch.submit(request, id: index, to: sinks[index])
                if !together { try run() }
            }
            try run()
            return (sinks, bytes)
        }
        let rows = try answers(.never, together: true)
        for together in [true, false] {
            let heads = try answers(.always, together: together)
            for (index, (a, b)) in zip(heads.sinks, rows.sinks).enumerated() {
                #expect(a.error == nil && b.error == nil && b.tokens.count == 24)
                #expect(a.tokens == b.tokens && a.prompt == b.prompt && a.top == b.top, "request \(index)")
                let isSame = zip(a.tokens, b.tokens).allSatisfy { $0.logprob?.bitPattern == $1.logprob?.bitPattern }
                #expect(isSame, "request \(index)")
            }
        }
    }
}

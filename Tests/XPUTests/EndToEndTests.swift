import CPU
import Compute
import Foundation
import Models
import TestSupport
import Testing
import XPU

/// Whole models: what the XPU computes is what the CPU computes.
@Suite(.serialized) struct EndToEndTests {
    /// Models trained to something: their greedy tokens are the CPU's.
    @Test func `the example model gives the CPU's tokens`() throws {
        try compare(ExampleModel.path, sameTokens: true)
        if let path = TestData.path("models/stories260K.gguf") { try compare(path, sameTokens: true) }
    }

    /// Random weights make nearly flat distributions, where a value on the edge between two codes decides between two tokens. So
    /// the XPU follows the CPU's tokens, and chooses others only where the CPU's choice was as close as the tolerance.
    @Test func `every format of weights gives the CPU's logits`() throws {
        guard TestDevice.backend != nil, let folder = TestData.path("models") else { return }
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter {
            $0.hasPrefix("llama-k-") && $0.hasSuffix(".gguf")
        }
        #expect(names.count >= 20)
        for name in names.sorted() { try compare("\(folder)/\(name)", sameTokens: false) }
    }

    /// By how much more the XPU's logits may differ from the CPU's than the CPU's own when what it starts from changes in the last bit.
    /// Both add up floats in orders of their own, and where a value is on the edge between two of the 8-bit codes of a product's input, its
    /// last bit decides which one it becomes: how far that goes is a matter of the model, not of the device.
    private static let tolerance: Float = 3
    /// Relative to the largest logit: formats without codes.
    private static let least: Float = 1e-5

    private func compare(_ path: String, sameTokens: Bool) throws {
        guard let xpu = TestDevice.backend else { return }
        let name = path.split(separator: "/").last ?? ""
        let model = try Model(path: path)
        let program = model.program.fusingSharedInput().fusingResidual()
        let cpu = try Session(program, model.weights, on: CPUBackend(threads: 2), kv: .f16)
        var tokens: [Int32] = [1, 9, 30, 77, 12]
        var expected = try cpu.run(tokens, chunks: [tokens.count])
        for _ in 0..<40 {
            let next = Int32(Self.top(expected[expected.count - 1])[0])
            expected += try cpu.step([.init(sequence: 0, position: tokens.count, tokens: [next])])
            tokens.append(next)
        }
        let found = try Session(program, model.weights, on: xpu, kv: .f16).run(tokens, chunks: [5, 1, 1, 7, 1])
        let own = try [Float](arrayLiteral: -4, -3, -2, -1, 1, 2, 3, 4).map { steps in
            let nudged = Self.scaled(program, 1 + steps * .ulpOfOne)
            let logits = try Session(nudged, model.weights, on: CPUBackend(threads: 2), kv: .f16)
                .run(tokens, chunks: [tokens.count])
            return relativeError(logits, expected)
        }
        let bound = max(Self.least, Self.tolerance * (own.max() ?? 0))
        let error = relativeError(found, expected)
        print("MEASURED \(name) \(error) \(own.max() ?? 0) \(own.reduce(0, +) / 8)")
        #expect(error < bound, "\(name)")
        let size = expected.joined().map(abs).max() ?? 0
        for (position, (a, b)) in zip(found, expected).enumerated() where Self.top(a)[0] != Self.top(b)[0] {
            let best = Self.top(b)
            #expect(
                !sameTokens && b[best[0]] - b[best[1]] < 2 * bound * size,
                "\(name): another token at position \(position)")
        }
    }

    /// A program whose embeddings are multiplied by a factor.
    private static func scaled(_ program: Program, _ factor: Float) -> Program {
        var scaled = program
        for (index, op) in program.ops.enumerated() {
            guard case .embed(var embed) = op else { continue }
            embed.scale *= factor
            scaled.ops[index] = .embed(embed)
        }
        return scaled
    }

    /// The indices of the two largest.
    private static func top(_ logits: [Float]) -> [Int] {
        var best = [0, 1].sorted { logits[$0] > logits[$1] }
        for index in logits.indices.dropFirst(2) {
            if logits[index] > logits[best[0]] {
                best = [index, best[0]]
            } else if logits[index] > logits[best[1]] {
                best[1] = index
            }
        }
        return best
    }
}

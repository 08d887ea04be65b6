import CPU
import Compute
import Foundation
import JSON
import Models
import Quant
import TestSupport
import Testing

/// Every architecture against an independent implementation: Hugging Face transformers, from the same weights.
@Suite(.serialized) struct ReferenceTests {
    private struct Reference {
        let prompt: [Int32]
        let positions: [Int]
        let logits: [[Float]]
        let greedy: [Int32]

        init(_ json: JSON) throws {
            func integers(_ key: String) throws -> [Int] {
                let values = try #require(json[key]?.arrayValue)
                return values.compactMap(\.intValue)
            }
            prompt = try integers("prompt").map { Int32($0) }
            positions = try integers("positions")
            greedy = try integers("greedy").map { Int32($0) }
            let text = try #require(json["logits"]?.stringValue)
            let bytes = try #require(Data(base64Encoded: text))
            let values = stride(from: 0, to: bytes.count, by: 4).map { offset in
                Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << (8 * UInt32($1)) })
            }
            let width = values.count / positions.count
            logits = positions.indices.map { Array(values[$0 * width..<($0 + 1) * width]) }
        }
    }

    @Test func everyArchitectureHasAReference() {
        for name in Architectures.supportedNames {
            #expect(TinyModel.all.contains { $0.name == name || $0.name.hasPrefix(name + "-") }, "\(name)")
        }
    }

    @Test(arguments: TinyModel.all)
    func logitsAndGreedyTokensAreThoseOfTransformers(tiny: TinyModel) throws {
        guard let model = try tiny.load() else { return }
        let reference = try Reference(try tiny.reference())
        let session = try Session(model.program, model.weights, on: CPUBackend(threads: 2))
        let logits = try session.step([.init(sequence: 0, position: 0, tokens: reference.prompt)])
        let error = relativeError(reference.positions.map { logits[$0] }, reference.logits)
        print("\(tiny.name): largest relative error of the logits \(error)")
        #expect(error < 1e-4)

        var last = try #require(logits.last)
        var greedy: [Int32] = []
        while greedy.count < reference.greedy.count {
            let best = try #require(last.indices.max { last[$0] < last[$1] })
            let token = Int32(best)
            greedy.append(token)
            let part = Session.Part(
                sequence: 0, position: reference.prompt.count + greedy.count - 1, tokens: [token])
            last = try session.step([part])[0]
        }
        #expect(greedy == reference.greedy)
    }
}

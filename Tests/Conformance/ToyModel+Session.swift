import Compute
import Quant
import TestSupport

extension Session {
    convenience init(
        _ model: ToyModel, on backend: any Backend, kv: KVFormat = .f32, positions: Int = 192, windowBlocks: Int? = nil,
        fused: Bool = true
    ) throws {
        let weights = try model.weights()
        let drawn = try model.program(weights)
        try self.init(
            fused ? drawn.fusingSharedInput().fusingResidual() : drawn, weights, on: backend, kv: kv,
            positions: positions, windowBlocks: windowBlocks)
    }
}

func randomTokens(_ count: Int, seed: UInt64, vocabulary: Int = 97) -> [Int32] {
    var random = Random(seed: seed)
    return (0..<count).map { _ in Int32(random.index(below: vocabulary)) }
}

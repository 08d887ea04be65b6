internal import Compute

extension Program {
    /// For each operation of `fused`, its index here: operations are known by what they write. What a fused one takes over is part of it.
    func indices(of fused: Program) -> [Int] {
        var writers: [Value: Int] = [:]
        // Stores write no value.
        var stores: [Int] = []
        for (index, op) in ops.enumerated() {
            if case .store = op { stores.append(index) }
            for value in op.writes { writers[value] = index }
        }
        var nextStore = 0
        return fused.ops.map { op in
            if case .store = op {
                nextStore += 1
                return stores[nextStore - 1]
            }
            guard let index = op.writes.lazy.compactMap({ writers[$0] }).first else {
                preconditionFailure("an operation of no value")
            }
            return index
        }
    }
}

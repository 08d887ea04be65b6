internal import Compute

/// A program whose operations take over what others would do in launches of their own.
struct FusedProgram {
    let program: Program
    /// Rotations of what a store (its keys) or attention (its queries) reads, by index of the operation.
    let rotations: [Int: Op.Rope]

    init(_ program: Program) {
        var readers: [Value: Int] = [program.logits: 1]
        for op in program.ops { for value in op.reads { readers[value, default: 0] += 1 } }
        var ropes: [Value: Op.Rope] = [:]
        for case .rope(let rope) in program.ops where readers[rope.output] == 1 { ropes[rope.output] = rope }
        func rope(_ value: Value, _ layer: Int) -> Op.Rope? {
            guard let rope = ropes[value],
                program.width(value) / rope.heads == program.cache.layers[layer].keyLength
            else { return nil }
            return rope
        }

        var taken: Set<Value> = []
        var ops = program.ops
        var rotations: [Int: Op.Rope] = [:]
        for (index, op) in ops.enumerated() {
            switch op {
            case .store(var store):
                guard let rope = rope(store.key, store.layer), store.value != rope.output else { continue }
                store.key = rope.input
                ops[index] = .store(store)
                rotations[index] = rope
                taken.insert(rope.output)
            case .attention(var attention):
                guard let rope = rope(attention.query, attention.layer) else { continue }
                attention.query = rope.input
                ops[index] = .attention(attention)
                rotations[index] = rope
                taken.insert(rope.output)
            default: break
            }
        }
        var fused = program
        fused.ops = []
        var kept: [Int: Op.Rope] = [:]
        for (index, op) in ops.enumerated() {
            if case .rope(let rope) = op, taken.contains(rope.output) { continue }
            if let rope = rotations[index] { kept[fused.ops.count] = rope }
            fused.ops.append(op)
        }
        self.program = fused
        self.rotations = kept
    }
}

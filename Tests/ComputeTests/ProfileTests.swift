import Compute
import Quant
import Testing

/// Shapes of a program that has every operation whose cost differs.
private struct Shapes: TensorCatalog {
    static let shapes: [String: [Int]] = [
        "token_embd.weight": [64, 100], "norm.weight": [64], "q.weight": [64, 64], "k.weight": [64, 32],
        "router.weight": [64, 4], "gate.weight": [64, 96, 4], "up.weight": [64, 96, 4], "down.weight": [96, 64, 4],
        "output.weight": [64, 100],
    ]

    func dimensions(of name: String) -> [Int]? { Self.shapes[name] }
    func constants(_ name: String) -> [Float]? { nil }
}

@Suite struct ProfileTests {
    /// Two query heads share a KV head of 32 dimensions; a window of eight positions; two of four experts.
    private static func profile() throws -> Profile {
        var g = ProgramBuilder(Shapes())
        let x = g.embed("token_embd", vocabulary: 100, width: 64)
        let h = g.norm(x, "norm", epsilon: 1e-5)
        let q = g.linear(h, "q", outputs: 64)
        let k = g.linear(h, "k", outputs: 32)
        g.store(key: k, value: k, layer: 0)
        let y = g.add(x, g.attention(q, layer: 0, heads: 2, valueLength: 32, scale: 1))
        let z = g.moe(
            y, router: g.linear(y, "router", outputs: 4), gate: "gate", up: "up", down: "down", experts: 4, used: 2,
            hidden: 96, routing: .softmaxNormalised, activation: .silu)
        let logits = g.linear(g.outputRows(z), "output", outputs: 100)
        let cache = CacheLayout(layers: [.init(kvHeads: 1, keyLength: 32, valueLength: 32, window: 8)])
        let program = try g.finish(logits: logits, cache: cache).fusingSharedInput()
        let formats: [Format?] = program.weights.map { $0.name.hasPrefix("norm") ? .f32 : .q8_0 }
        return Profile(program, formats: formats, cache: .f16)
    }

    /// Three rows of a prompt at position 10 and one row of another sequence at position 2; logits for two rows.
    private static var inputs: StepInputs {
        var inputs = StepInputs()
        inputs.append([1, 2, 3], position: 10, outputs: 1)
        inputs.blockTables.append(0)
        inputs.append([4], position: 2, outputs: 1)
        inputs.blockTables.append(1)
        return inputs
    }

    /// Bytes of `count` weights in Q8_0.
    private static func q8(_ count: Int) -> Int { count / 32 * 34 }

    @Test func `an operation costs what it must read and compute`() throws {
        let profile = try Self.profile()
        let rows = 4
        func cost(_ name: String, _ index: Int = 0) throws -> OpCost {
            let ops = profile.program.ops.filter { $0.name == name }
            return profile.cost(of: try #require(ops.dropFirst(index).first), Self.inputs)
        }
        #expect(try cost("embed") == OpCost(bytes: Self.q8(rows * 64)))
        #expect(try cost("norm") == OpCost(bytes: rows * 64 * 4 + 64 * 4))
        #expect(try cost("store") == OpCost(bytes: rows * 2 * 32 * 4))
        #expect(try cost("add") == OpCost(bytes: rows * 2 * 64 * 4))
        let projections = 64 * (64 + 32)
        #expect(
            try cost("linear")
                == OpCost(bytes: rows * 64 * 4 + Self.q8(projections), operations: 2 * rows * projections))
        // Positions 3 to 12 of one sequence and 0 to 2 of the other; each row sees eight positions, the last three.
        #expect(
            try cost("attention")
                == OpCost(
                    bytes: rows * 64 * 4 + (10 + 3) * 2 * 32 * 2, operations: 2 * (3 * 8 + 3) * 2 * (32 + 32)))
        // Four rows can choose all four experts; each computes two.
        let expert = 3 * 64 * 96
        #expect(
            try cost("moe")
                == OpCost(bytes: rows * (64 + 4) * 4 + Self.q8(4 * expert), operations: 2 * rows * 2 * expert))
        // Only the rows whose logits are wanted.
        #expect(try cost("outputRows") == OpCost(bytes: 2 * 64 * 4))
        #expect(
            try cost("linear", 2) == OpCost(bytes: 2 * 64 * 4 + Self.q8(64 * 100), operations: 2 * 2 * 64 * 100))
    }

    @Test func `one row reads only the experts that it chooses`() throws {
        let profile = try Self.profile()
        var inputs = StepInputs()
        inputs.append([1], position: 0, outputs: 0)
        inputs.blockTables.append(0)
        let moe = try #require(profile.program.ops.first { $0.name == "moe" })
        let expert = 3 * 64 * 96
        #expect(
            profile.cost(of: moe, inputs)
                == OpCost(bytes: (64 + 4) * 4 + Self.q8(2 * expert), operations: 2 * 2 * expert))
        // Nobody wants logits.
        let head = try #require(profile.program.ops.last)
        #expect(profile.cost(of: head, inputs) == OpCost())
    }

    @Test func `steps add up`() throws {
        var profile = try Self.profile()
        let times = profile.program.ops.indices.map { Double($0) }
        profile.add(Self.inputs, seconds: 100, times: times)
        profile.add(Self.inputs, seconds: 50, times: times)
        #expect(profile.steps == 2 && profile.seconds == 150)
        for (index, entry) in profile.entries.enumerated() {
            #expect(entry.seconds == 2 * times[index])
            let once = profile.cost(of: profile.program.ops[index], Self.inputs)
            #expect(entry.cost == once + once)
        }
        #expect(profile.otherSeconds == 150 - 2 * times.reduce(0, +))
    }

    @Test func `a device without clocks says so`() throws {
        var outputs = try StepOutputs(rows: 1, vocabulary: 1)
        var seconds: [Double] = []
        #expect(throws: BackendError.self) {
            try Mute().run(StepInputs(), into: &outputs, timing: &seconds)
        }
    }

    private final class Mute: Executable {
        func run(_ inputs: borrowing StepInputs, into outputs: inout StepOutputs) throws(BackendError) {}
    }
}

import Compute
import Testing

/// A catalog of shapes only.
private struct Shapes: TensorCatalog {
    var shapes: [String: [Int]]
    var values: [String: [Float]] = [:]

    func dimensions(of name: String) -> [Int]? { shapes[name] }
    func constants(_ name: String) -> [Float]? { values[name] }
}

private let cache = CacheLayout(layers: [])

@Suite struct ProgramBuilderTests {
    @Test func aMissingTensorIsNamed() {
        var g = ProgramBuilder(Shapes(shapes: [:]))
        let x = g.embed("token_embd", vocabulary: 10, width: 8)
        #expect(throws: ProgramError.missingTensor("token_embd.weight")) { try g.finish(logits: x, cache: cache) }
    }

    @Test func aWrongShapeIsNamedWithBothShapes() {
        var g = ProgramBuilder(Shapes(shapes: ["token_embd.weight": [8, 11]]))
        let x = g.embed("token_embd", vocabulary: 10, width: 8)
        let error = ProgramError.wrongShape(tensor: "token_embd.weight", expected: [8, 10], found: [8, 11])
        #expect(throws: error) { try g.finish(logits: x, cache: cache) }
        #expect(error.description == "tensor 'token_embd.weight' has shape [8, 11], the metadata asks for [8, 10]")
    }

    @Test func theFirstProblemIsKept() {
        var g = ProgramBuilder(Shapes(shapes: ["a.weight": [8, 3]]))
        let x = g.embed("token_embd", vocabulary: 10, width: 8)
        let y = g.linear(x, "a", outputs: 4)
        #expect(throws: ProgramError.missingTensor("token_embd.weight")) { try g.finish(logits: y, cache: cache) }
    }

    @Test func trailingDimensionsOfOneDoNotMatter() throws {
        var g = ProgramBuilder(Shapes(shapes: ["e.weight": [8, 10, 1, 1], "n.weight": [8, 1]]))
        let x = g.norm(g.embed("e", vocabulary: 10, width: 8), "n", epsilon: 1e-5)
        #expect(try g.finish(logits: x, cache: cache).weights.count == 2)
    }

    @Test func biasesTakePartWhereTheyExist() throws {
        var g = ProgramBuilder(
            Shapes(shapes: ["e.weight": [8, 10], "a.weight": [8, 4], "a.bias": [4], "b.weight": [8, 4]]))
        let x = g.embed("e", vocabulary: 10, width: 8)
        let y = g.add(g.linear(x, "a", outputs: 4), g.linear(x, "b", outputs: 4))
        let program = try g.finish(logits: y, cache: cache)
        #expect(program.ops.flatMap(\.projections).map { $0.bias != nil } == [true, false])
    }

    @Test func constantsThatCannotBeReadAreAnError() {
        var g = ProgramBuilder(Shapes(shapes: ["e.weight": [8, 10], "rope_freqs.weight": [4]]))
        let x = g.embed("e", vocabulary: 10, width: 8)
        #expect(g.constants("absent", count: 4) == nil)
        #expect(g.constants("rope_freqs", count: 4) == nil)
        #expect(throws: ProgramError.unreadable("rope_freqs.weight")) { try g.finish(logits: x, cache: cache) }
    }
}

@Suite struct PassTests {
    private static func drawn() throws -> Program {
        let matrix = [8, 8]
        var g = ProgramBuilder(
            Shapes(shapes: [
                "e.weight": [8, 10], "q.weight": matrix, "k.weight": matrix, "o.weight": matrix, "h.weight": matrix,
            ]))
        let x = g.embed("e", vocabulary: 10, width: 8)
        let q = g.linear(x, "q", outputs: 8)
        let k = g.linear(x, "k", outputs: 8)
        let y = g.add(x, g.linear(g.gate(q, k, .silu), "o", outputs: 8))
        // Read twice, so it must stay a value of its own.
        let h = g.linear(y, "h", outputs: 8)
        let logits = g.add(g.add(y, h), h)
        return try g.finish(logits: logits, cache: cache)
    }

    @Test func linearsOfOneInputBecomeOne() throws {
        let program = try Self.drawn().fusingSharedInput()
        #expect(program.ops.map(\.projections.count).filter { $0 > 0 } == [2, 1, 1])
    }

    @Test func anAdditionBecomesTheResidual() throws {
        let program = try Self.drawn().fusingResidual()
        let linears = program.ops.flatMap(\.projections)
        #expect(linears.map { $0.residual != nil } == [false, false, true, false])
        #expect(program.ops.count == 8)
    }

    @Test func everyValueIsWrittenBeforeItIsRead() throws {
        let program = try Self.drawn().fusingSharedInput().fusingResidual()
        var written: Set<Value> = []
        for op in program.ops {
            #expect(Set(op.reads).isSubset(of: written))
            written.formUnion(op.writes)
        }
        #expect(written.contains(program.logits))
    }

    @Test func valuesAliveTogetherHaveBuffersOfTheirOwn() throws {
        let program = try Self.drawn().fusingSharedInput().fusingResidual()
        let plan = BufferPlan(program)
        for (index, op) in program.ops.enumerated() {
            let later = program.ops[index...].flatMap(\.reads) + [program.logits]
            let earlier = program.ops[...index].flatMap(\.writes)
            let alive = Set(earlier).intersection(later).union(op.reads).union(op.writes)
            let buffers = alive.map { plan.buffer[$0.index] }
            #expect(!buffers.contains(nil))
            #expect(Set(buffers).count == alive.count, "operation \(index)")
            for value in alive {
                let buffer = try #require(plan.buffer[value.index])
                #expect(plan.widths[buffer] >= program.width(value))
            }
        }
        #expect(plan.widths.count < program.widths.count)
    }
}

extension Op {
    fileprivate var projections: [Op.Linear.Projection] {
        if case .linear(let op) = self { op.projections } else { [] }
    }
}

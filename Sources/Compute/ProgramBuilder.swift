/// What a program can know of a model's tensors while it is drawn.
package protocol TensorCatalog {
    /// Dimensions in GGUF order, fastest first, or `nil` for an absent tensor.
    func dimensions(of name: String) -> [Int]?
    /// All values of a small F32 tensor (rope factors), or `nil` where it cannot be read.
    func constants(_ name: String) -> [Float]?
}

/// A program that does not fit the tensors of its file.
package enum ProgramError: Error, Sendable, Equatable, CustomStringConvertible {
    case missingTensor(String)
    case wrongShape(tensor: String, expected: [Int], found: [Int])
    /// A table that shapes the program is not stored as F32 or could not be read.
    case unreadable(String)

    package var description: String {
        switch self {
        case .missingTensor(let name):
            "tensor '\(name)' is missing"
        case .wrongShape(let tensor, let expected, let found):
            "tensor '\(tensor)' has shape \(found), the metadata asks for \(expected)"
        case .unreadable(let name):
            "tensor '\(name)' cannot be read as F32"
        }
    }
}

/// Draws a ``Program``: each call appends an operation and returns its result, so an architecture reads top to bottom
/// like the forward pass that it is.
///
/// Tensors are named without their `.weight` or `.bias` suffix; a bias takes part where the file has one. The first
/// problem is kept and thrown by ``finish(logits:cache:)``, which keeps the drawing free of `try`.
package struct ProgramBuilder {
    private let catalog: any TensorCatalog
    private var ops: [Op] = []
    private var widths: [Int] = []
    private var weights: [WeightDeclaration] = []
    private var weightIndex: [WeightDeclaration: Weight] = [:]
    private var ropes: [RopeTable] = []
    private var problem: ProgramError?

    package init(_ catalog: any TensorCatalog) {
        self.catalog = catalog
    }

    package mutating func finish(logits: Value, cache: CacheLayout) throws(ProgramError) -> Program {
        if let problem { throw problem }
        return Program(ops: ops, widths: widths, weights: weights, ropes: ropes, cache: cache, logits: logits)
    }

    package func has(_ name: String) -> Bool { catalog.dimensions(of: name + ".weight") != nil }
    package func width(_ value: Value) -> Int { widths[value.index] }

    /// The `count` values of `name.weight`, for tables that shape the program itself; `nil` where the file has none.
    package mutating func constants(_ name: String, count: Int) -> [Float]? {
        let name = name + ".weight"
        guard catalog.dimensions(of: name) != nil else { return nil }
        check(WeightDeclaration(name: name, rows: 1, columns: count))
        guard problem == nil else { return nil }
        let values = catalog.constants(name)
        if values == nil { problem = .unreadable(name) }
        return values
    }
}

// MARK: Operations

extension ProgramBuilder {
    /// The embedding of the step's tokens.
    package mutating func embed(_ name: String, vocabulary: Int, width: Int, scale: Float = 1) -> Value {
        let table = weight(name + ".weight", rows: vocabulary, columns: width)
        let output = value(width)
        ops.append(.embed(.init(table: table, output: output, scale: scale)))
        return output
    }

    /// RMS or layer normalisation of each of `groups` equal parts of a row.
    package mutating func norm(
        _ input: Value, _ name: String, epsilon: Float, kind: Op.Norm.Kind = .rms, groups: Int = 1
    ) -> Value {
        let length = width(input) / groups
        let scale = weight(name + ".weight", rows: 1, columns: length)
        let bias = optionalVector(name + ".bias", length)
        let output = value(width(input))
        ops.append(
            .norm(
                .init(
                    kind: kind, input: input, output: output, weight: scale, bias: bias, epsilon: epsilon,
                    groups: groups)))
        return output
    }

    /// `input · weightᵀ (+ bias)`.
    package mutating func linear(_ input: Value, _ name: String, outputs: Int) -> Value {
        let matrix = weight(name + ".weight", rows: outputs, columns: width(input))
        let bias = optionalVector(name + ".bias", outputs)
        let output = value(outputs)
        ops.append(
            .linear(
                .init(input: input, projections: [.init(weight: matrix, bias: bias, output: output, residual: nil)])))
        return output
    }

    package mutating func rope(_ input: Value, heads: Int, table: RopeTable) -> Value {
        let index = ropes.firstIndex(of: table) ?? ropes.count
        if index == ropes.count { ropes.append(table) }
        let output = value(width(input))
        ops.append(.rope(.init(input: input, output: output, heads: heads, table: index)))
        return output
    }

    package mutating func store(key: Value, value: Value, layer: Int) {
        ops.append(.store(.init(key: key, value: value, layer: layer)))
    }

    package mutating func attention(
        _ query: Value, layer: Int, heads: Int, valueLength: Int, scale: Float, softcap: Float? = nil,
        sinks: String? = nil
    ) -> Value {
        let output = value(heads * valueLength)
        let sinks = sinks.map { weight($0 + ".weight", rows: 1, columns: heads) }
        ops.append(
            .attention(
                .init(
                    query: query, output: output, layer: layer, heads: heads, scale: scale, softcap: softcap,
                    sinks: sinks)))
        return output
    }

    package mutating func gate(_ gate: Value, _ up: Value, _ activation: Op.Activation) -> Value {
        let output = value(width(gate))
        ops.append(.gate(.init(gate: gate, up: up, output: output, activation: activation)))
        return output
    }

    package mutating func activate(_ input: Value, _ activation: Op.Activation) -> Value {
        let output = value(width(input))
        ops.append(.activate(.init(input: input, output: output, activation: activation)))
        return output
    }

    /// A mixture of gated MLPs over the expert stacks `gate`, `up` and `down`.
    package mutating func moe(
        _ input: Value, router: Value, gate: String, up: String, down: String, experts: Int, used: Int, hidden: Int,
        routing: Op.MoE.Routing, activation: Op.Activation
    ) -> Value {
        let width = width(input)
        let output = value(width)
        let operation = Op.MoE(
            input: input,
            router: router,
            output: output,
            gate: weight(gate + ".weight", experts: experts, rows: hidden, columns: width),
            up: weight(up + ".weight", experts: experts, rows: hidden, columns: width),
            down: weight(down + ".weight", experts: experts, rows: width, columns: hidden),
            used: used,
            routing: routing,
            activation: activation
        )
        ops.append(.moe(operation))
        return output
    }

    package mutating func add(_ left: Value, _ right: Value) -> Value {
        let output = value(width(left))
        ops.append(.add(.init(left: left, right: right, output: output)))
        return output
    }

    package mutating func scale(_ input: Value, _ factor: Float) -> Value {
        let output = value(width(input))
        ops.append(.scale(.init(input: input, output: output, factor: factor)))
        return output
    }

    package mutating func softcap(_ input: Value, _ cap: Float) -> Value {
        let output = value(width(input))
        ops.append(.softcap(.init(input: input, output: output, cap: cap)))
        return output
    }

    /// Only the rows whose logits are wanted, from here on.
    package mutating func outputRows(_ input: Value) -> Value {
        let output = value(width(input))
        ops.append(.outputRows(.init(input: input, output: output)))
        return output
    }
}

// MARK: Values and weights

extension ProgramBuilder {
    private mutating func value(_ width: Int) -> Value {
        widths.append(width)
        return Value(index: widths.count - 1)
    }

    private mutating func optionalVector(_ name: String, _ length: Int) -> Weight? {
        catalog.dimensions(of: name) == nil ? nil : weight(name, rows: 1, columns: length)
    }

    private mutating func weight(_ name: String, experts: Int = 1, rows: Int, columns: Int) -> Weight {
        let declaration = WeightDeclaration(name: name, experts: experts, rows: rows, columns: columns)
        if let known = weightIndex[declaration] { return known }
        check(declaration)
        let weight = Weight(index: weights.count)
        weights.append(declaration)
        weightIndex[declaration] = weight
        return weight
    }

    private mutating func check(_ declaration: WeightDeclaration) {
        guard problem == nil else { return }
        guard let found = catalog.dimensions(of: declaration.name) else {
            problem = .missingTensor(declaration.name)
            return
        }
        let expected = [declaration.columns, declaration.rows, declaration.experts]
        // Trailing dimensions of one are written by some tools and left out by others.
        let padded = found + Array(repeating: 1, count: max(0, 3 - found.count))
        if padded.prefix(3) != expected[...] || padded.dropFirst(3).contains(where: { $0 != 1 }) {
            let shape = declaration.experts > 1 ? 3 : declaration.rows > 1 ? 2 : 1
            problem = .wrongShape(tensor: declaration.name, expected: Array(expected.prefix(shape)), found: found)
        }
    }
}

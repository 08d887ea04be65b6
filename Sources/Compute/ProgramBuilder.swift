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
    let catalog: any TensorCatalog
    private var ops: [Op] = []
    private var widths: [Int] = []
    var weights: [WeightDeclaration] = []
    var weightIndex: [WeightDeclaration: Weight] = [:]
    private var ropes: [RopeTable] = []
    var problem: ProgramError?
    /// Names of all tensors that the drawing asked for.
    package internal(set) var tensorNames: Set<String> = []

    package init(_ catalog: any TensorCatalog) {
        self.catalog = catalog
    }

    package mutating func finish(logits: Value, cache: CacheLayout) throws(ProgramError) -> Program {
        if let problem { throw problem }
        return Program(ops: ops, widths: widths, weights: weights, ropes: ropes, cache: cache, logits: logits)
    }

    /// Whether the file has the tensor `name.weight`.
    package func has(_ name: String) -> Bool { catalog.dimensions(of: name + ".weight") != nil }
    /// Whether the file has a tensor of this full name.
    package func hasTensor(_ name: String) -> Bool { catalog.dimensions(of: name) != nil }
    package func width(_ value: Value) -> Int { widths[value.index] }

    /// The `count` values of `name.weight`, for tables that shape the program itself; `nil` where the file has none.
    package mutating func constants(_ name: String, count: Int) -> [Float]? {
        let name = name + ".weight"
        guard catalog.dimensions(of: name) != nil else { return nil }
        check(WeightDeclaration(name: name, rows: 1, columns: count), dimensions: [count])
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
    ///
    /// - Parameters:
    ///   - name: `nil` for one without weights.
    ///   - weightPerGroup: Whether each part has weights of its own, `[groups, length]`.
    package mutating func norm(
        _ input: Value, _ name: String?, epsilon: Float, kind: Op.Norm.Kind = .rms, groups: Int = 1,
        weightPerGroup: Bool = false
    ) -> Value {
        let length = width(input) / groups
        let scale = name.map { weight($0 + ".weight", rows: weightPerGroup ? groups : 1, columns: length) }
        let bias = name.flatMap { optionalVector($0 + ".bias", length) }
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
        linear(input, name, rows: 0..<outputs, of: outputs)
    }

    /// The product with a range of the rows of a tensor that holds several matrices (query, key and value; gate and up), with the
    /// same range of its bias.
    package mutating func linear(_ input: Value, _ name: String, rows: Range<Int>, of total: Int) -> Value {
        let matrix = weight(name + ".weight", rows: rows, of: total, columns: width(input))
        let bias = optionalVector(name + ".bias", rows, of: total)
        let output = value(rows.count)
        ops.append(
            .linear(
                .init(input: input, projections: [.init(weight: matrix, bias: bias, output: output, residual: nil)])))
        return output
    }

    /// A product of its own for each of `heads` parts of a row, `outputs` per part.
    package mutating func headLinear(_ input: Value, _ name: String, heads: Int, outputs: Int) -> Value {
        let matrices = weight(name + ".weight", experts: heads, rows: outputs, columns: width(input) / heads)
        let output = value(heads * outputs)
        ops.append(.headLinear(.init(input: input, output: output, weight: matrices, heads: heads)))
        return output
    }

    /// Heads put together from pieces of the heads of other values.
    package mutating func join(_ pieces: [Op.Join.Piece], heads: Int) -> Value {
        let output = value(heads * pieces.reduce(0) { $0 + $1.range.count })
        ops.append(.join(.init(pieces: pieces, output: output, heads: heads)))
        return output
    }

    /// - Parameter offset: Dimensions of a head before the rotated ones.
    package mutating func rope(_ input: Value, heads: Int, table: RopeTable, offset: Int = 0) -> Value {
        let index = ropes.firstIndex(of: table) ?? ropes.count
        if index == ropes.count { ropes.append(table) }
        let output = value(width(input))
        ops.append(.rope(.init(input: input, output: output, heads: heads, offset: offset, table: index)))
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

    /// - Parameter gate: As wide as `up`, or one number per row.
    package mutating func gate(_ gate: Value, _ up: Value, _ activation: Op.Activation) -> Value {
        let output = value(width(up))
        ops.append(.gate(.init(gate: gate, up: up, output: output, activation: activation)))
        return output
    }

    package mutating func activate(_ input: Value, _ activation: Op.Activation) -> Value {
        let output = value(width(input))
        ops.append(.activate(.init(input: input, output: output, activation: activation)))
        return output
    }

    /// A mixture of gated MLPs over the expert stacks `gate`, `up` and `down`, with biases where the file has them.
    ///
    /// - Parameter choiceBias: The tensor, suffix included, that is added to the scores for the choice.
    package mutating func moe(
        _ input: Value, router: Value, gate: String, up: String, down: String, experts: Int, used: Int, hidden: Int,
        routing: Op.Routing, choiceBias: String? = nil, activation: Op.Activation
    ) -> Value {
        let width = width(input)
        let output = value(width)
        let biases: Op.MoE.Biases? =
            catalog.dimensions(of: gate + ".bias") == nil
            ? nil
            : .init(
                gate: weight(gate + ".bias", rows: experts, columns: hidden),
                up: weight(up + ".bias", rows: experts, columns: hidden),
                down: weight(down + ".bias", rows: experts, columns: width))
        let operation = Op.MoE(
            input: input,
            router: router,
            output: output,
            gate: weight(gate + ".weight", experts: experts, rows: hidden, columns: width),
            up: weight(up + ".weight", experts: experts, rows: hidden, columns: width),
            down: weight(down + ".weight", experts: experts, rows: width, columns: hidden),
            biases: biases,
            used: used,
            routing: routing,
            choiceBias: choiceBias.map { weight($0, rows: 1, columns: experts) },
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

    package mutating func scale(_ input: Value, _ factor: Float, growth: Op.Scale.Growth? = nil) -> Value {
        let output = value(width(input))
        ops.append(.scale(.init(input: input, output: output, factor: factor, growth: growth)))
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

extension ProgramBuilder {
    private mutating func value(_ width: Int) -> Value {
        widths.append(width)
        return Value(index: widths.count - 1)
    }
}

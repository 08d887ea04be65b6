/// An activation of a ``Program``: a row-major `[rows, width]` matrix of `Float`, one row per token of the step.
package struct Value: Hashable, Sendable {
    package let index: Int
}

/// A weight that a ``Program`` reads, as an index into ``Program/weights``.
package struct Weight: Hashable, Sendable {
    package let index: Int
}

/// What a program expects of a tensor: `experts` matrices of `rows` outputs and `columns` inputs.
/// A vector (norm weight, bias) has one row. A weight may be a part of its tensor: some of its rows (of its elements, if it is a
/// vector), which lie together. ``WeightSource/read(_:)-(WeightDeclaration)`` gives the bytes of either.
package struct WeightDeclaration: Hashable, Sendable {
    package let name: String
    package let experts: Int
    package let rows: Int
    package let columns: Int
    /// Elements of the tensor before the first of this weight.
    package let offset: Int
    /// Elements of the whole tensor.
    package let tensorCount: Int

    package var count: Int { experts * rows * columns }

    package init(
        name: String, experts: Int = 1, rows: Int, columns: Int, offset: Int = 0, tensorCount: Int? = nil
    ) {
        self.name = name
        self.experts = experts
        self.rows = rows
        self.columns = columns
        self.offset = offset
        self.tensorCount = tensorCount ?? experts * rows * columns
    }
}

/// The forward pass of a model, drawn once: operations in execution order over single-assignment values.
///
/// A program knows nothing of batch size, positions or devices. A ``Backend`` compiles it; every step then replays it
/// with new ``StepInputs``.
package struct Program: Sendable {
    package var ops: [Op]
    /// Width of each ``Value``, by index.
    package var widths: [Int]
    package var weights: [WeightDeclaration]
    package var ropes: [RopeTable]
    package var cache: CacheLayout
    /// The `[outputRows, vocabulary]` result.
    package var logits: Value

    package init(
        ops: [Op], widths: [Int], weights: [WeightDeclaration], ropes: [RopeTable], cache: CacheLayout, logits: Value
    ) {
        self.ops = ops
        self.widths = widths
        self.weights = weights
        self.ropes = ropes
        self.cache = cache
        self.logits = logits
    }

    package func width(_ value: Value) -> Int { widths[value.index] }
    package subscript(_ weight: Weight) -> WeightDeclaration { weights[weight.index] }
    package var vocabularySize: Int { width(logits) }
}

/// Rotary embedding reduced to what a kernel needs: one angle per position and pair of dimensions.
///
/// All scaling rules (linear, NTK, YaRN, llama3, longrope) only change `inverseFrequencies` and `magnitude`.
package struct RopeTable: Hashable, Sendable {
    package enum Pairing: Sendable {
        /// Dimensions `2i` and `2i + 1` rotate together (GGUF `llama`).
        case interleaved
        /// Dimensions `i` and `i + n/2` rotate together (NeoX).
        case halves
    }

    package let pairing: Pairing
    /// Radians per position of each pair; the rotated dimensions are twice as many, the rest pass through.
    package let inverseFrequencies: [Double]
    /// Factor on both sine and cosine.
    package let magnitude: Float

    package init(pairing: Pairing, inverseFrequencies: [Double], magnitude: Float = 1) {
        self.pairing = pairing
        self.inverseFrequencies = inverseFrequencies
        self.magnitude = magnitude
    }
}

/// What each layer keeps of past tokens.
package struct CacheLayout: Hashable, Sendable {
    package struct Layer: Hashable, Sendable {
        package let kvHeads: Int
        package let keyLength: Int
        package let valueLength: Int
        /// Tokens that attention looks back, itself included; `nil` for all.
        package let window: Int?
        /// Positions are cut into chunks of this length, and attention sees only its own; `nil` for one chunk.
        package let chunk: Int?

        package init(kvHeads: Int, keyLength: Int, valueLength: Int, window: Int? = nil, chunk: Int? = nil) {
            self.kvHeads = kvHeads
            self.keyLength = keyLength
            self.valueLength = valueLength
            self.window = window
            self.chunk = chunk
        }

        /// Positions that a token sees at most, itself included; `nil` for all. A layer with a reach is called *windowed*.
        package var reach: Int? {
            guard let window, let chunk else { return window ?? chunk }
            return min(window, chunk)
        }

        /// The first position that a token at `position` sees.
        package func firstVisible(from position: Int) -> Int {
            max(window.map { position - $0 + 1 } ?? 0, chunk.map { position / $0 * $0 } ?? 0, 0)
        }
    }

    package let layers: [Layer]

    package init(layers: [Layer]) { self.layers = layers }

    /// The longest reach of the windowed layers; `nil` where there are none.
    package var reach: Int? { layers.compactMap(\.reach).max() }
}

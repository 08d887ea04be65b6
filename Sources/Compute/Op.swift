/// One operation of a ``Program``. Rows are tokens; unless said otherwise an operation treats rows independently, so
/// its result for a row never depends on which other rows share the step.
package enum Op: Sendable {
    case embed(Embed)
    case norm(Norm)
    case linear(Linear)
    case headLinear(HeadLinear)
    case join(Join)
    case rope(Rope)
    case store(Store)
    case attention(Attention)
    case gate(Gate)
    case activate(Activate)
    case moe(MoE)
    case add(Add)
    case scale(Scale)
    case softcap(Softcap)
    case outputRows(OutputRows)

    /// `output[r] = table[token[r]] * scale`.
    package struct Embed: Sendable {
        package var table: Weight
        package var output: Value
        package var scale: Float
    }

    /// Normalisation over each of `groups` equal parts of a row (one part, or one per head):
    /// RMS `x / sqrt(mean(x²) + epsilon) * weight`, or LayerNorm `(x - mean) / sqrt(var + epsilon) * weight + bias`.
    /// `weight` has the length of one part, which all parts share, or that of the row; `bias` has the length of one part.
    package struct Norm: Sendable {
        package enum Kind: Sendable { case rms, layer }
        package var kind: Kind
        package var input: Value
        package var output: Value
        package var weight: Weight?
        package var bias: Weight?
        package var epsilon: Float
        package var groups: Int
    }

    /// `output = input · weightᵀ + bias (+ residual)` for each projection. Projections that read the same input are one operation.
    package struct Linear: Sendable {
        package struct Projection: Sendable {
            package var weight: Weight
            package var bias: Weight?
            package var output: Value
            /// Added to the result after the bias.
            package var residual: Value?
        }
        package var input: Value
        package var projections: [Projection]
    }

    /// A product of its own for each of the equal parts (heads) of a row: part `h` of the output is part `h` of the input times
    /// `weight[h]ᵀ`, where `weight` has one matrix per head, `[heads, outputs, inputs]`.
    package struct HeadLinear: Sendable {
        package var input: Value
        package var output: Value
        package var weight: Weight
        package var heads: Int
    }

    /// Copies: each of `heads` equal parts of a row of the output is its pieces one after the other.
    package struct Join: Sendable {
        /// A range of dimensions of each head of `value`. A value of one head gives it to every head of the output.
        package struct Piece: Sendable {
            package var value: Value
            package var heads: Int
            package var range: Range<Int>

            package init(_ value: Value, heads: Int, _ range: Range<Int>) {
                self.value = value
                self.heads = heads
                self.range = range
            }
        }
        package var pieces: [Piece]
        package var output: Value
        package var heads: Int
    }

    /// Rotates the dimensions from `offset` on of each of `heads` heads of a row by its token's position.
    package struct Rope: Sendable {
        package var input: Value
        package var output: Value
        package var heads: Int
        package var offset: Int
        /// Index into ``Program/ropes``.
        package var table: Int
    }

    /// Writes a row's key and value into the KV cache of `layer` at the row's position.
    package struct Store: Sendable {
        package var key: Value
        package var value: Value
        package var layer: Int
    }

    /// `softmax(scale · q·kᵀ, causal) · v` over the row's own sequence in the cache of `layer`; query head `h` reads
    /// KV head `h / (heads / kvHeads)`. Rows of the same sequence see earlier rows of the step, already stored.
    package struct Attention: Sendable {
        package var query: Value
        package var output: Value
        package var layer: Int
        package var heads: Int
        package var scale: Float
        /// Scores become `softcap · tanh(score / softcap)`.
        package var softcap: Float?
        /// One extra logit per head that takes part in the softmax's sum only.
        package var sinks: Weight?
    }

    package enum Activation: Sendable {
        case silu
        /// GELU in its tanh approximation.
        case geluTanh
        case gelu
        case relu
        /// `max(x, 0)²`
        case reluSquared
        case sigmoid
        /// Of gates only: `g · σ(1.702 g) · (u + 1)` with `g = min(gate, 7)` and `u = max(-7, min(up, 7))`.
        case clampedSwish
    }

    /// `output = activation(gate) * up`. A gate of width one holds for its whole row.
    package struct Gate: Sendable {
        package var gate: Value
        package var up: Value
        package var output: Value
        package var activation: Activation
    }

    package struct Activate: Sendable {
        package var input: Value
        package var output: Value
        package var activation: Activation
    }

    /// Mixture of gated MLPs. `router` are the logits of all experts; the `used` best (ties: the lower index) get weights by
    /// `routing`, and the output is the weighted sum over the chosen experts in ascending order of expert index.
    package struct MoE: Sendable {
        package var input: Value
        package var router: Value
        package var output: Value
        package var gate: Weight
        package var up: Weight
        package var down: Weight
        /// `[experts, outputs]`, added to the products of `gate`, `up` and `down`: all three or none.
        package var biases: Biases?
        package var used: Int
        package var routing: Routing
        /// One number per expert, added to its score for the choice only.
        package var choiceBias: Weight?
        package var activation: Activation

        package struct Biases: Sendable {
            package var gate: Weight
            package var up: Weight
            package var down: Weight
        }
    }

    /// How the logits of a router become the choice of experts and their weights.
    package struct Routing: Hashable, Sendable {
        package enum Score: Hashable, Sendable {
            /// Softmax over all experts.
            case softmax
            case sigmoid
        }

        /// Experts in `count` equal groups of neighbours; only those of the `used` best groups (ties: the lower index) can be
        /// chosen. A group is as good as the sum of its `best` best scores.
        package struct Groups: Hashable, Sendable {
            package var count: Int
            package var used: Int
            package var best: Int

            package init(count: Int, used: Int, best: Int) {
                self.count = count
                self.used = used
                self.best = best
            }
        }

        /// What a logit becomes. The choice goes by the score (and ``MoE/choiceBias``), the weight is the score.
        package var score: Score
        /// Whether the weights of the chosen are divided by their sum.
        package var normalised: Bool
        /// Factor on the weights, applied last.
        package var scale: Float
        package var groups: Groups?
        /// Whether a weight multiplies its expert's input instead of its output.
        package var weighsInput: Bool

        package init(
            _ score: Score, normalised: Bool, scale: Float = 1, groups: Groups? = nil, weighsInput: Bool = false
        ) {
            self.score = score
            self.normalised = normalised
            self.scale = scale
            self.groups = groups
            self.weighsInput = weighsInput
        }

        package static let softmax = Routing(.softmax, normalised: false)
        package static let softmaxNormalised = Routing(.softmax, normalised: true)
    }

    package struct Add: Sendable {
        package var left: Value
        package var right: Value
        package var output: Value
    }

    /// `output = input · factor`, and for long contexts also `· (1 + slope · ln(1 + ⌊(position + shift) / interval⌋))`.
    package struct Scale: Sendable {
        package struct Growth: Hashable, Sendable {
            package var slope: Double
            package var interval: Double
            package var shift: Double

            package init(slope: Double, interval: Double, shift: Double) {
                self.slope = slope
                self.interval = interval
                self.shift = shift
            }
        }

        package var input: Value
        package var output: Value
        package var factor: Float
        package var growth: Growth?
    }

    /// `output = cap · tanh(input / cap)`.
    package struct Softcap: Sendable {
        package var input: Value
        package var output: Value
        package var cap: Float
    }

    /// Keeps the rows listed in ``StepInputs/outputRows``; from here on values have that many rows.
    package struct OutputRows: Sendable {
        package var input: Value
        package var output: Value
    }
}

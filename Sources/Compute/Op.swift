/// One operation of a ``Program``. Rows are tokens; unless said otherwise an operation treats rows independently, so
/// its result for a row never depends on which other rows share the step.
package enum Op: Sendable {
    case embed(Embed)
    case norm(Norm)
    case linear(Linear)
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
    /// `weight` has the length of one part.
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

    /// Rotates the first dimensions of each of `heads` heads of a row by its token's position.
    package struct Rope: Sendable {
        package var input: Value
        package var output: Value
        package var heads: Int
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
    }

    /// `output = activation(gate) * up`.
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
        package enum Routing: Sendable {
            /// Softmax over all experts, the chosen renormalised to sum to one.
            case softmaxNormalised
            /// Softmax over all experts, used as it is.
            case softmax
        }
        package var input: Value
        package var router: Value
        package var output: Value
        package var gate: Weight
        package var up: Weight
        package var down: Weight
        package var used: Int
        package var routing: Routing
        package var activation: Activation
    }

    package struct Add: Sendable {
        package var left: Value
        package var right: Value
        package var output: Value
    }

    package struct Scale: Sendable {
        package var input: Value
        package var output: Value
        package var factor: Float
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

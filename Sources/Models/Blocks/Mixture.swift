internal import Compute

/// A mixture of gated MLPs, with a shared one beside it where the architecture has that.
struct Mixture {
    /// Far beyond any model.
    private static let mostExperts = 4096

    let experts: Int
    let used: Int
    /// Hidden units of one expert.
    let hidden: Int
    var routing: Op.Routing
    var activation = Op.Activation.silu
    /// Seen by every token.
    var shared: GatedMLP?
    /// Whether the shared MLP's output is weighed by the sigmoid of a product with its input (`ffn_gate_inp_shexp`).
    var gatesShared = false

    /// `nil` where the file has no experts.
    init?(_ parameters: Hyperparameters, hidden: Int, routing: Op.Routing) throws(ModelError) {
        let experts = try parameters.int("expert_count") ?? 0
        guard experts != 0 else { return nil }
        guard experts > 0, experts <= Self.mostExperts else {
            throw parameters.invalid("expert_count", "is \(experts), out of range")
        }
        let used = try parameters.count("expert_used_count")
        guard used <= experts else { throw parameters.invalid("expert_used_count", "is \(used) of \(experts) experts") }
        guard hidden > 0 else { throw parameters.invalid("expert_feed_forward_length", "is missing") }
        self.experts = experts
        self.used = used
        self.hidden = hidden
        self.routing = routing
    }

    /// Of an architecture that is nothing without experts.
    init(required parameters: Hyperparameters, hidden: Int, routing: Op.Routing) throws(ModelError) {
        guard let mixture = try Mixture(parameters, hidden: hidden, routing: routing) else {
            throw parameters.invalid("expert_count", "is missing")
        }
        self = mixture
    }

    func callAsFunction(_ g: inout ProgramBuilder, _ h: Value, _ block: String) -> Value {
        let bias = "\(block).exp_probs_b.bias"
        let mixed = g.moe(
            h, router: g.linear(h, "\(block).ffn_gate_inp", outputs: experts), gate: "\(block).ffn_gate_exps",
            up: "\(block).ffn_up_exps", down: "\(block).ffn_down_exps", experts: experts, used: used, hidden: hidden,
            routing: routing, choiceBias: g.hasTensor(bias) ? bias : nil, activation: activation)
        guard let shared else { return mixed }
        var common = shared(&g, h, block)
        if gatesShared { common = g.gate(g.linear(h, "\(block).ffn_gate_inp_shexp", outputs: 1), common, .sigmoid) }
        return g.add(mixed, common)
    }
}

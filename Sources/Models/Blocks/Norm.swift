internal import Compute

/// A kind of normalisation with its epsilon.
struct Norm {
    let kind: Op.Norm.Kind
    let epsilon: Float

    /// With the epsilon of `attention.layer_norm_rms_epsilon`.
    static func rms(_ parameters: Hyperparameters) throws(ModelError) -> Norm {
        Norm(kind: .rms, epsilon: try epsilon(parameters, "attention.layer_norm_rms_epsilon"))
    }

    /// With the epsilon of `attention.layer_norm_epsilon`.
    static func layer(_ parameters: Hyperparameters) throws(ModelError) -> Norm {
        Norm(kind: .layer, epsilon: try epsilon(parameters, "attention.layer_norm_epsilon"))
    }

    private static func epsilon(_ parameters: Hyperparameters, _ key: String) throws(ModelError) -> Float {
        let value = try parameters.requiredFloat(key)
        guard value >= 0 else { throw parameters.invalid(key, "is \(value)") }
        return Float(value)
    }

    /// Over the whole row, with the weights (and bias) called `name`.
    func callAsFunction(_ g: inout ProgramBuilder, _ x: Value, _ name: String) -> Value {
        g.norm(x, name, epsilon: epsilon, kind: kind)
    }
}

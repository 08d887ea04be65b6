package enum SamplingError: Error, Equatable, CustomStringConvertible {
    case parameter(name: String, requirement: String)
    /// Every logit is NaN or minus infinity.
    case noCandidate
    /// A logit is plus infinity.
    case overflow

    package var description: String {
        switch self {
        case .parameter(let name, let requirement): "\(name) \(requirement)"
        case .noCandidate: "the model gave no usable logit: all are NaN or minus infinity"
        case .overflow: "the model gave an infinite logit: its weights make the arithmetic overflow"
        }
    }
}

/// Divides the scores: below 1 the likely tokens become likelier.
struct Temperature: LogitProcessor {
    private let temperature: Float

    init?(_ parameters: SamplingParameters) {
        guard let temperature = parameters.temperature, temperature != 1 else { return nil }
        self.temperature = temperature
    }

    func apply(to candidates: inout Candidates) {
        candidates.divide(by: temperature)
    }
}

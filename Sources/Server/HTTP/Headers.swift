package import HTTPTypes

extension HTTPField.Name {
    private static func make(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is no header name") }
        return name
    }

    package static let traceparent = make("traceparent")
    package static let accelBuffering = make("x-accel-buffering")
    package static let computeType = make("x-compute-type")
    package static let computeTime = make("x-compute-time")
    package static let computeCharacters = make("x-compute-characters")
    package static let totalTime = make("x-total-time")
    package static let validationTime = make("x-validation-time")
    package static let queueTime = make("x-queue-time")
    package static let inferenceTime = make("x-inference-time")
    package static let timePerToken = make("x-time-per-token")
    package static let promptTokens = make("x-prompt-tokens")
    package static let generatedTokens = make("x-generated-tokens")
}

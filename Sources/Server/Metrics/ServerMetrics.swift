internal import CoreMetrics
package import Engine

/// The server's metrics under TGI's names.
package final class ServerMetrics: Sendable {
    package let registry: PrometheusRegistry
    /// Takes the engine's reports.
    package let steps: StepMetrics
    private let requestCount: Counter
    private let requestSuccess: Counter
    private let requestFailure: [FailureReason: Counter]
    private let duration: Timer
    private let validationDuration: Timer
    private let queueDuration: Timer
    private let inferenceDuration: Timer
    private let meanTimePerToken: Timer
    private let generatedTokens: Recorder
    private let inputLength: Recorder
    private let maxNewTokens: Recorder

    package init(limits: EngineLimits) {
        let registry = PrometheusRegistry(Self.descriptions(limits), defaultBuckets: Self.durationBuckets)
        self.registry = registry
        steps = StepMetrics(registry)
        func counter(_ name: String) -> Counter { Counter(label: name, dimensions: [], factory: registry) }
        func timer(_ name: String) -> Timer { Timer(label: name, dimensions: [], factory: registry) }
        func recorder(_ name: String) -> Recorder { Recorder(label: name, dimensions: [], factory: registry) }
        requestCount = counter("tgi_request_count")
        requestSuccess = counter("tgi_request_success")
        requestFailure = Dictionary(
            uniqueKeysWithValues: FailureReason.allCases.map { reason in
                (
                    reason,
                    Counter(label: "tgi_request_failure", dimensions: [("err", reason.rawValue)], factory: registry)
                )
            })
        duration = timer("tgi_request_duration")
        validationDuration = timer("tgi_request_validation_duration")
        queueDuration = timer("tgi_request_queue_duration")
        inferenceDuration = timer("tgi_request_inference_duration")
        meanTimePerToken = timer("tgi_request_mean_time_per_token_duration")
        generatedTokens = recorder("tgi_request_generated_tokens")
        inputLength = recorder("tgi_request_input_length")
        maxNewTokens = recorder("tgi_request_max_new_tokens")
        let total = Gauge(label: "tgi_batch_max_total_tokens", dimensions: [], factory: registry)
        total.record(limits.maxBatchTotalTokens)
    }

    /// A request has come in.
    package func entered(_ count: Int = 1) { requestCount.increment(by: count) }

    package func failed(_ reason: FailureReason) { requestFailure[reason]?.increment() }

    /// A generation has come to its end.
    func finished(_ timing: GenerationTiming, _ request: ValidRequest) {
        requestSuccess.increment()
        duration.record(duration: timing.total)
        validationDuration.record(duration: timing.validation)
        queueDuration.record(duration: timing.queue)
        inferenceDuration.record(duration: timing.inference)
        meanTimePerToken.record(duration: timing.perToken)
        generatedTokens.record(timing.generatedTokens)
        inputLength.record(request.inputLength)
        maxNewTokens.record(request.chunk)
    }
}

extension ServerMetrics {
    /// 0.0001 s times 1.5, 1.5^2, … 1.5^35.
    static var durationBuckets: [Double] {
        var bound = 0.0001
        return (1...35).map { _ in
            bound *= 1.5
            return bound
        }
    }

    /// A hundred equal steps up to `most`.
    private static func steps(to most: Int) -> [Double] { (1...100).map { Double(most) * Double($0) / 100 } }

    private static func descriptions(_ limits: EngineLimits) -> [PrometheusRegistry.Description] {
        let total = steps(to: limits.maxTotalTokens)
        let sizes = (0...10).map { Double(1 << $0) }
        let times = PrometheusRegistry.Description.Shape.histogram(durationBuckets)
        return [
            .init("tgi_request_count", .counter, "Requests that came in."),
            .init("tgi_request_success", .counter, "Generations that came to their end."),
            .init("tgi_request_failure", .counter, "Requests that failed, by reason."),
            .init("tgi_request_duration", times, "Seconds from a request to the end of its answer."),
            .init("tgi_request_validation_duration", times, "Seconds until a request was checked and tokenized."),
            .init("tgi_request_queue_duration", times, "Seconds that a request waited for its first step."),
            .init("tgi_request_inference_duration", times, "Seconds from a request's first step to its last."),
            .init("tgi_request_mean_time_per_token_duration", times, "Seconds of inference per generated token."),
            .init("tgi_request_generated_tokens", .histogram(total), "Tokens generated per request."),
            .init(
                "tgi_request_input_length", .histogram(steps(to: limits.maxInputTokens)),
                "Tokens of the prompt per request."),
            .init("tgi_request_max_new_tokens", .histogram(total), "Tokens asked for per request, up to 1024."),
            .init("tgi_request_skipped_tokens", .summary, "Drafted tokens that were right, per step and request."),
            .init("tgi_queue_size", .gauge, "Requests that wait."),
            .init("tgi_batch_current_size", .gauge, "Requests that run."),
            .init("tgi_batch_current_max_tokens", .gauge, "Tokens in the KV cache for the requests that run."),
            .init("tgi_batch_max_total_tokens", .gauge, "Tokens that the KV cache can hold."),
            .init("tgi_batch_next_size", .histogram(sizes), "Requests that joined with a step."),
            .init("tgi_batch_inference_count", .counter, "Steps begun, by method."),
            .init("tgi_batch_inference_success", .counter, "Steps that worked, by method."),
            .init("tgi_batch_inference_failure", .counter, "Steps that failed, by method."),
            .init("tgi_batch_inference_duration", times, "Seconds per step, by method."),
            .init("tgi_batch_forward_duration", times, "Seconds of the forward pass per step, by method."),
            .init("tgi_batch_decode_duration", times, "Seconds of choosing tokens per step, by method."),
            .init("tgi_batch_filter_duration", times, "Seconds of dropping requests from the batch, by method."),
            .init("tgi_batch_concat", .counter, "Requests that joined a running batch, by reason."),
            .init("tgi_batch_concat_duration", times, "Seconds of joining a running batch, by method."),
        ]
    }
}

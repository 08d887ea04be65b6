internal import CoreMetrics
package import Engine

/// What the engine's steps mean for TGI's metrics.
package struct StepMetrics: EngineObserver {
    /// The metrics that TGI keeps per method: a step that runs prompt tokens, or one that only generates.
    private struct Method {
        let count: Counter
        let success: Counter
        let failure: Counter
        let inference: Timer
        let forward: Timer
        let decode: Timer

        init(_ name: String, _ registry: PrometheusRegistry) {
            let dimensions = [("method", name)]
            count = Counter(label: "tgi_batch_inference_count", dimensions: dimensions, factory: registry)
            success = Counter(label: "tgi_batch_inference_success", dimensions: dimensions, factory: registry)
            failure = Counter(label: "tgi_batch_inference_failure", dimensions: dimensions, factory: registry)
            inference = Timer(label: "tgi_batch_inference_duration", dimensions: dimensions, factory: registry)
            forward = Timer(label: "tgi_batch_forward_duration", dimensions: dimensions, factory: registry)
            decode = Timer(label: "tgi_batch_decode_duration", dimensions: dimensions, factory: registry)
        }
    }

    private let prefill: Method
    private let decode: Method
    private let queueSize: Gauge
    private let currentSize: Gauge
    private let currentTokens: Gauge
    private let nextSize: Recorder
    private let concat: Counter
    private let skippedTokens: Recorder

    package init(_ registry: PrometheusRegistry) {
        prefill = Method("prefill", registry)
        decode = Method("decode", registry)
        queueSize = Gauge(label: "tgi_queue_size", dimensions: [], factory: registry)
        currentSize = Gauge(label: "tgi_batch_current_size", dimensions: [], factory: registry)
        currentTokens = Gauge(label: "tgi_batch_current_max_tokens", dimensions: [], factory: registry)
        nextSize = Recorder(label: "tgi_batch_next_size", dimensions: [], factory: registry)
        concat = Counter(label: "tgi_batch_concat", dimensions: [("reason", "chunking")], factory: registry)
        skippedTokens = Recorder(label: "tgi_request_skipped_tokens", dimensions: [], factory: registry)
    }

    package func stepFinished(_ report: StepReport) {
        queueSize.record(report.waiting)
        currentSize.record(report.running)
        currentTokens.record(report.tokensInUse)
        if report.admitted > 0 {
            nextSize.record(report.admitted)
            if report.decodeRows > 0 { concat.increment() }
        }
        guard report.promptRows + report.decodeRows > 0 || report.failed else { return }
        let method = report.promptRows > 0 ? prefill : decode
        method.count.increment()
        guard !report.failed else { return method.failure.increment() }
        method.success.increment()
        method.inference.record(duration: report.forward + report.sampling)
        method.forward.record(duration: report.forward)
        method.decode.record(duration: report.sampling)
        if report.acceptedDrafts.isEmpty {
            if report.decodeRows > 0 { skippedTokens.record(0) }
        } else {
            for count in report.acceptedDrafts { skippedTokens.record(count) }
        }
    }
}

extension CoreMetrics.Timer {
    func record(duration: Duration) {
        recordNanoseconds(duration.components.seconds * 1_000_000_000 + duration.components.attoseconds / 1_000_000_000)
    }
}

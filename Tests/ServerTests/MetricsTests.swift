import CoreMetrics
import Engine
import JSON
import Server
import Testing

/// What Prometheus reads.
struct MetricsTests {
    @Test func `A finished request counts under TGI's names`() async throws {
        try await TestServer.run { server in
            _ = try await server.post("/generate", #"{"inputs":" little","parameters":{"max_new_tokens":30}}"#)
            _ = try await server.post("/generate_stream", #"{"inputs":" little","parameters":{"max_new_tokens":20}}"#)
            let answer = try await server.get("/metrics")
            #expect(answer.headers["content-type"] == "text/plain; charset=utf-8")
            let lines = answer.text.split(separator: "\n").map(String.init)
            for line in [
                "# TYPE tgi_request_count counter", "tgi_request_count 2", "tgi_request_success 2",
                "# TYPE tgi_request_duration histogram", "tgi_request_duration_count 2",
                "tgi_request_validation_duration_count 2", "tgi_request_queue_duration_count 2",
                "tgi_request_inference_duration_count 2", "tgi_request_mean_time_per_token_duration_count 2",
                "tgi_request_generated_tokens_sum 50", "tgi_request_generated_tokens_count 2",
                #"tgi_request_generated_tokens_bucket{le="20.48"} 1"#,
                #"tgi_request_generated_tokens_bucket{le="30.72"} 2"#,
                #"tgi_request_generated_tokens_bucket{le="+Inf"} 2"#, "tgi_request_input_length_sum 4",
                "tgi_request_max_new_tokens_sum 50", "tgi_batch_max_total_tokens 16384",
            ] {
                #expect(lines.contains(line), "\(line)")
            }
            #expect(!answer.text.contains("tgi_request_failure"))
            let buckets = lines.filter { $0.hasPrefix("tgi_request_duration_bucket") }
            #expect(buckets.count == 36)
            #expect(buckets.first?.hasPrefix(#"tgi_request_duration_bucket{le="0.00015"#) == true)
        }
    }

    @Test func `Failures count by reason, and tokenizing does not count`() async throws {
        try await TestServer.run { server in
            _ = try await server.post("/generate", #"{"inputs":""}"#)
            _ = try await server.post("/tokenize", #"{"inputs":"Hi"}"#)
            #expect(try await server.metric("tgi_request_count") == "1")
            #expect(try await server.metric(#"tgi_request_failure{err="validation"}"#) == "1")
        }
    }

    @Test func `The engine's steps show`() {
        let metrics = ServerMetrics(limits: TestServer.limits)
        var report = StepReport()
        report.promptRows = 100
        report.admitted = 2
        report.waiting = 3
        report.running = 2
        report.tokensInUse = 128
        report.forward = .milliseconds(20)
        report.sampling = .milliseconds(1)
        metrics.steps.stepFinished(report)
        report.promptRows = 0
        report.admitted = 0
        report.decodeRows = 2
        report.acceptedDrafts = [0, 4]
        metrics.steps.stepFinished(report)
        report.failed = true
        metrics.steps.stepFinished(report)
        let lines = metrics.registry.text.split(separator: "\n").map(String.init)
        for line in [
            "tgi_queue_size 3", "tgi_batch_current_size 2", "tgi_batch_current_max_tokens 128",
            #"tgi_batch_inference_count{method="prefill"} 1"#, #"tgi_batch_inference_count{method="decode"} 2"#,
            #"tgi_batch_inference_success{method="decode"} 1"#, #"tgi_batch_inference_failure{method="decode"} 1"#,
            #"tgi_batch_forward_duration_count{method="prefill"} 1"#,
            #"tgi_batch_forward_duration_bucket{method="prefill",le="+Inf"} 1"#,
            #"tgi_batch_next_size_bucket{le="1"} 0"#, #"tgi_batch_next_size_bucket{le="2"} 1"#,
            "# TYPE tgi_request_skipped_tokens summary", #"tgi_request_skipped_tokens{quantile="0.5"} 4"#,
            #"tgi_request_skipped_tokens{quantile="0"} 0"#, "tgi_request_skipped_tokens_sum 4",
            "tgi_request_skipped_tokens_count 2",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
    }

    @Test func `Names and labels are written as Prometheus wants them`() {
        let registry = PrometheusRegistry([], defaultBuckets: [1, 2])
        Counter(label: "a.b-c", dimensions: [("x", "q\"\\\nz")], factory: registry).increment()
        Gauge(label: "g", dimensions: [], factory: registry).record(-1.5)
        let recorder = Recorder(label: "r", dimensions: [], factory: registry)
        for value in [0.5, 1, 1.5, 7] { recorder.record(value) }
        Counter(label: "silent", dimensions: [], factory: registry).increment(by: 0)
        #expect(
            registry.text == """
                # TYPE a_b_c counter
                a_b_c{x="q\\"\\\\\\nz"} 1
                # TYPE g gauge
                g -1.5
                # TYPE r histogram
                r_bucket{le="1"} 2
                r_bucket{le="2"} 3
                r_bucket{le="+Inf"} 4
                r_sum 10
                r_count 4
                # TYPE silent counter
                silent 0

                """)
    }
}

internal import JSON
internal import HTTPTypes
internal import HummingbirdCore
internal import NIOCore

/// `GET /metrics`: for Prometheus.
enum MetricsRoute {
    static let route = Route(
        .get, "/metrics",
        Operation(
            "metrics", "Metrics in Prometheus' text format", tag: "Server",
            answers: [Operation.Answer(200, "The metrics", [("text/plain", ["type": "string"])])])
    ) { (exchange) throws(APIError) in
        Response(
            status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(string: exchange.server.metrics.registry.text)))
    }
}

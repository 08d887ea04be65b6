internal import HTTPTypes
internal import HummingbirdCore

/// `GET /health`, `/ping` and `/`: whether the server can generate. Asked while it cannot, it tries to recover.
enum HealthRoute {
    static let routes = [("/health", "health"), ("/ping", "ping"), ("/", "root")].map { path, id in
        Route(
            .get, path,
            Operation(
                id, "Whether the server can generate", tag: "Server",
                answers: [
                    Operation.Answer(200, "It can"),
                    Operation.Answer(503, "It cannot", [("application/json", .reference("ErrorResponse"))]),
                ])
        ) { (exchange) throws(APIError) in
            guard await exchange.server.health.check() else { throw .unhealthy }
            return Response(status: .ok)
        }
    }
}

internal import HTTPTypes
internal import HummingbirdCore
internal import NIOCore

/// From a request to its answer: finds the route, then middleware around it, outermost first.
struct Responder: Sendable {
    private let server: ServerContext
    private let routes: [String: [HTTPRequest.Method: Route]]
    private let crossOrigin: CrossOrigin
    private let authorization: Authorization?

    init(_ server: ServerContext, _ routes: [Route]) {
        self.server = server
        var table: [String: [HTTPRequest.Method: Route]] = [:]
        for route in routes {
            precondition(table[route.path]?[route.method] == nil, "\(route.method) \(route.path) twice")
            table[route.path, default: [:]][route.method] = route
        }
        self.routes = table
        crossOrigin = CrossOrigin(allowedOrigins: server.options.allowedOrigins)
        authorization = server.options.apiKey.map { Authorization(key: $0) }
    }

    @concurrent
    func respond(
        to request: Request, _ writer: consuming ResponseWriter, on channel: any Channel
    ) async throws {
        if request.headers[.expect]?.lowercased() == "100-continue" {
            try await writer.writeInformationalHead(HTTPResponse(status: .continue))
        }
        let exchange = Exchange(server: server, request: request, channel: channel)
        var response = crossOrigin.preflight(request)
        if response == nil { response = await answer(exchange) }
        guard var response else { return }
        crossOrigin.addHeaders(to: &response, for: request)
        response.headers[.date] = WallTime.now.httpText
        if request.method == .head { response = response.createHeadResponse() }
        try await writer.write(response: response.head, body: response.body)
    }

    private func answer(_ exchange: Exchange) async -> Response {
        do {
            let route = try route(of: exchange.request)
            if route.access == .key, let authorization { try authorization.check(exchange.request) }
            return try await route.handler(exchange)
        } catch {
            return error.response
        }
    }

    private func route(of request: Request) throws(APIError) -> Route {
        guard let methods = routes[request.uri.path] else { throw .notFound }
        if let route = methods[request.method] { return route }
        // What can be read can be asked about.
        if request.method == .head, let route = methods[.get] { return route }
        let allowed: [HTTPRequest.Method] = methods.keys.flatMap { $0 == .get ? [.get, .head] : [$0] }
        throw .methodNotAllowed(allowed.sorted { $0.rawValue < $1.rawValue })
    }
}

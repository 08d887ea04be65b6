internal import HTTPTypes
internal import HummingbirdCore

/// Cross-origin resource sharing, as TGI's server is set up.
struct CrossOrigin: Sendable {
    private let allowedOrigins: Set<String>

    /// - Parameter allowedOrigins: Empty allows all.
    init(allowedOrigins: [String]) { self.allowedOrigins = Set(allowedOrigins) }

    /// The answer to a browser that asks before it calls; `nil` for any other request.
    func preflight(_ request: Request) -> Response? {
        guard request.method == .options else { return nil }
        var response = Response(status: .ok)
        response.headers[.accessControlAllowMethods] = "GET,POST"
        response.headers[.accessControlAllowHeaders] = "content-type"
        return response
    }

    func addHeaders(to response: inout Response, for request: Request) {
        response.headers[.vary] = "origin, access-control-request-method, access-control-request-headers"
        if allowedOrigins.isEmpty {
            response.headers[.accessControlAllowOrigin] = "*"
        } else if let origin = request.headers[.origin], allowedOrigins.contains(origin) {
            response.headers[.accessControlAllowOrigin] = origin
        }
    }
}

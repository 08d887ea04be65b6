package import HTTPTypes
package import HummingbirdCore

/// One way in: a method and a path, who may use it, what it does and how it is described.
package struct Route: Sendable {
    package enum Access: Sendable {
        case open
        /// Whoever knows the key, where one is set.
        case key
    }

    package typealias Handler = @Sendable (Exchange) async throws(APIError) -> Response

    package let method: HTTPRequest.Method
    package let path: String
    package let access: Access
    package let operation: Operation
    /// Whether the OpenAPI description names it; another path to the same is left out.
    package let isDocumented: Bool
    package let handler: Handler

    package init(
        _ method: HTTPRequest.Method, _ path: String, access: Access = .open, _ operation: Operation,
        isDocumented: Bool = true, handler: @escaping Handler
    ) {
        self.method = method
        self.path = path
        self.access = access
        self.operation = operation
        self.isDocumented = isDocumented
        self.handler = handler
    }
}

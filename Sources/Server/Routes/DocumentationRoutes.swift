internal import HTTPTypes
internal import HummingbirdCore
internal import JSON
internal import NIOCore

/// `GET /api-doc/openapi.json` and `GET /docs`: what the routes are, for machines and for people.
enum DocumentationRoutes {
    static let description = Route(
        .get, "/api-doc/openapi.json",
        Operation(
            "openapi", "This description", tag: "Server", answers: [.json("The description", ["type": "object"])])
    ) { (exchange) throws(APIError) in
        let document = Document.json(Routes.all, serverVersion: exchange.server.model.serverVersion)
        return .json { $0.value(document) }
    }

    static let pages = [("/docs", true), ("/docs/", false)].map { path, isDocumented in
        Route(
            .get, path,
            Operation(
                "docs", "This description as a page", tag: "Server",
                answers: [Operation.Answer(200, "The page", [("text/html", Schema.string)])]),
            isDocumented: isDocumented
        ) { (exchange) throws(APIError) in
            let document = Document.json(Routes.all, serverVersion: exchange.server.model.serverVersion)
            return Response(
                status: .ok, headers: [.contentType: "text/html; charset=utf-8"],
                body: .init(byteBuffer: ByteBuffer(string: DocumentationPage.html(document))))
        }
    }
}

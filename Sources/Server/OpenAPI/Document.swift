internal import HTTPTypes
package import JSON

/// The OpenAPI description of all routes.
package enum Document {
    /// All schemas that routes refer to.
    private static let schemas: [Schema.Named] = Schema.native + Schema.openAI

    package static func json(_ routes: [Route], serverVersion: String) -> JSON {
        var paths = JSONObject()
        for route in routes where route.isDocumented {
            var item = paths[route.path]?.objectValue ?? JSONObject()
            item[route.method.rawValue.lowercased()] = operation(route)
            paths[route.path] = .object(item)
        }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "tgi-run", "version": .string(serverVersion),
                "description": "Text generation with the HTTP interface of Text Generation Inference.",
                "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
            ],
            "paths": .object(paths),
            "components": [
                "schemas": .object(JSONObject(schemas.map { ($0.name, $0.schema) })),
                "securitySchemes": [
                    "key": [
                        "type": "http", "scheme": "bearer",
                        "description": "The key of --api-key, where the server has one.",
                    ]
                ],
            ],
        ]
    }

    private static func operation(_ route: Route) -> JSON {
        let operation = route.operation
        var json: JSONObject = [
            "operationId": .string(operation.id), "summary": .string(operation.summary),
            "tags": [.string(operation.tag)],
        ]
        if let body = operation.body {
            json["requestBody"] = ["required": true, "content": ["application/json": ["schema": body]]]
        }
        var answers = JSONObject()
        for answer in operation.answers {
            var content = JSONObject()
            for (type, schema) in answer.content { content[type] = ["schema": schema] }
            var member: JSONObject = ["description": .string(answer.meaning)]
            if !content.isEmpty { member["content"] = .object(content) }
            answers["\(answer.status)"] = .object(member)
        }
        json["responses"] = .object(answers)
        // Without a key set, a request needs none.
        if route.access == .key { json["security"] = [["key": []], .object([:])] }
        return .object(json)
    }
}
